"""The `kgan` command as `python -m kgan`."""

from kgan.cli import main

main()
