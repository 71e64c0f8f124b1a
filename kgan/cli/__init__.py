"""The `kgan` command."""

import sys
import warnings
from typing import Annotated

from kgan import __version__
from kgan.cli import demo, evaluate, export, pictures, report, train, translate
from kgan.cli.console import console, typer
from kgan.cli.quiet import quiet_tensorflow
from kgan.utils.advice import speaking_shell

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Train a GAN, look at its images, and ship its generator with proof.\n\n"
    "Keras runs on the backend named by the environment variable KERAS_BACKEND: tensorflow "
    "(default), jax or torch. Exit codes: 0 done, 1 a file was not proven, 2 bad input.",
)
for command in (
    demo.demo,
    train.train,
    pictures.sample,
    pictures.interpolate,
    pictures.grid,
    translate.translate,
    export.export,
    export.verify,
    evaluate.evaluate,
    report.report,
):
    app.command()(command)


def _tell_version(asked):
    if asked:
        console.print(__version__)
        raise typer.Exit


@app.callback(no_args_is_help=True)
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and end.", callback=_tell_version),
    ] = False,
):
    pass


def main():
    """Runs the command; an error that the user can mend is a message, not a traceback."""
    quiet_tensorflow()

    from kgan.export import ExportError

    with speaking_shell(), warnings.catch_warnings():
        warnings.showwarning = _warn_once()
        try:
            app()
        except ExportError as error:
            _fail(error, 1)
        except (ValueError, ImportError, OSError) as error:
            _fail(error, 2)


def _warn_once():
    """Shows each warning as a line; commands look at some data twice, and say it once."""
    told = set()

    def warn(message, *_, **__):
        if str(message) not in told:
            told.add(str(message))
            _tell(f"kgan: warning: {message}")

    return warn


def _fail(error, code):
    _tell(f"kgan: {error}")
    sys.exit(code)


def _tell(text):
    from kgan.export.untrusted.escape import terminal

    print(terminal(text, keep="\n\t"), file=sys.stderr)


if __name__ == "__main__":
    main()
