"""What the files of the `kgan` command share."""

from pathlib import Path
from typing import Annotated

from kgan.utils.optional import require

typer = require("typer", "cli", "The kgan command")
_Console = require("rich.console", "cli", "The kgan command").Console


class _PlainConsole(_Console):
    """Shows text as it is: none from a file becomes markup or acts on the terminal."""

    def render_str(self, text, **options):
        from kgan.export.untrusted.escape import terminal

        return super().render_str(terminal(text, keep="\n\t"), **options)


console = _PlainConsole(highlight=False, soft_wrap=True, markup=False, emoji=False)

Seed = Annotated[int, typer.Option(min=0, help="Seed: the same one gives the same result.")]
SavedGAN = Annotated[Path, typer.Argument(help="A GAN saved by kgan, such as run/gan.keras.")]
