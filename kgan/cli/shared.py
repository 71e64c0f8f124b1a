"""What the files of the `kgan` command share."""

from pathlib import Path
from typing import Annotated

from kgan.optional import require

typer = require("typer", "cli", "The kgan command")
console = require("rich.console", "cli", "The kgan command").Console(
    highlight=False, soft_wrap=True
)

Seed = Annotated[int, typer.Option(min=0, help="Seed: the same one gives the same result.")]
SavedGAN = Annotated[Path, typer.Argument(help="A GAN saved by kgan, such as run/gan.keras.")]
