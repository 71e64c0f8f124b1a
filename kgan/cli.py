"""The `kgan` command."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

from kgan import cli_arguments as arguments
from kgan.cli_arguments import Kind, Network
from kgan.optional import require

typer = require("typer", "cli", "The kgan command")
rich_console = require("rich.console", "cli", "The kgan command")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Train a GAN, look at its images, and ship its generator with proof.\n\n"
    "Keras runs on the backend named by the environment variable KERAS_BACKEND: tensorflow "
    "(default), jax or torch. Exit codes: 0 done, 1 a file was not proven, 2 bad input.",
)
console = rich_console.Console(highlight=False, soft_wrap=True)


Seed = Annotated[int, typer.Option(help="Seed: the same one gives the same result.")]
SavedGAN = Annotated[Path, typer.Argument(help="A GAN saved by kgan, such as run/gan.keras.")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("kgan_demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the digits.")] = 400,
    seed: Seed = 0,
):
    """Train on handwritten digits, draw, export and verify: the whole road in a few minutes.

    Needs no network: the digits come with scikit-learn.
    """
    from kgan import demo

    demo.run(out, epochs, seed, console.print)


@app.command()
def train(
    data: Annotated[
        str,
        typer.Argument(
            help="**digits** (with scikit-learn), a folder of images, or the name of a TensorFlow "
            "Datasets set such as mnist."
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for gan.keras, samples/, log.csv, checkpoint.keras.")
    ] = Path("runs/gan"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 20,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 64,
    model: Annotated[
        Kind, typer.Option(help="conditional and acgan learn to make the class they are asked for.")
    ] = Kind.gan,
    network: Annotated[Network, typer.Option(help="Family of the networks.")] = Network.dcgan,
    width: Annotated[int, typer.Option(min=1, help="Filters or units of the networks.")] = 64,
    latent_dim: Annotated[int, typer.Option(min=1, help="Length of the latent.")] = 64,
    loss: Annotated[str, typer.Option(help="The game: see kgan.losses.")] = "non_saturating",
    learning_rate: Annotated[float, typer.Option(help="Of Adam, for both players.")] = 2e-4,
    image_size: Annotated[
        int | None, typer.Option(min=1, help="Resize to this height and width.")
    ] = None,
    channels: Annotated[int, typer.Option(help="Of a folder's images: 3 or 1 (grey).")] = 3,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where TensorFlow Datasets keeps its sets.")
    ] = None,
    download: Annotated[bool, typer.Option(help="Whether to download a missing set.")] = True,
    seed: Seed = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, killed or finished.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew where --out holds a run already.")
    ] = False,
):
    """Train a GAN on images and save it with pictures of each epoch.

    For example: **kgan train digits --epochs 100**, or
    **kgan train photos/ --image-size 64 --out runs/photos**. The same command with **--resume**
    goes on after a crash, from the last whole epoch, as if nothing had happened.
    """
    import keras

    import kgan

    keras.utils.set_random_seed(seed)
    images, labels = arguments.load_images(
        data, image_size, channels, batch_size, data_dir, download
    )
    stream = isinstance(images, keras.utils.PyDataset)
    shape = (images[0] if stream else images).shape[1:]
    gan = arguments.make_model(model, network, shape, latent_dim, width, labels, seed)
    gan.compile(
        loss=loss,
        generator_optimizer=keras.optimizers.Adam(learning_rate, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(learning_rate, beta_1=0.5),
    )
    checkpoint = out / "checkpoint.keras"
    if resume and not checkpoint.is_file():
        raise ValueError(
            "There is no checkpoint to go on from: leave out --resume, or name the folder of the "
            f"run with --out. Received: --resume with --out {out}"
        )
    if not resume and checkpoint.is_file():
        if not overwrite:
            raise ValueError(
                f"There is a run in {out} already: add --resume to go on with it, or --overwrite "
                f"to start anew, or name another folder with --out. Received: --out {out}"
            )
        checkpoint.unlink()
        shutil.rmtree(out / "samples", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    console.print(f"Training on images {shape} (Keras on {keras.backend.backend()})")
    gan.fit(
        images,
        None if model is Kind.gan else labels,
        batch_size=None if stream else batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=[
            kgan.callbacks.ProgressBar(),
            kgan.callbacks.SampleGrid(out / "samples", seed=seed),
            keras.callbacks.CSVLogger(str(out / "log.csv"), append=resume),
        ],
        checkpoint=checkpoint,
    )
    gan.save(out / "gan.keras")
    console.print(f"Saved {out}/gan.keras; pictures in {out}/samples, losses in {out}/log.csv")


@app.command()
def sample(
    gan: SavedGAN,
    out: Annotated[Path, typer.Option(help="The picture, a PNG.")] = Path("samples.png"),
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 64,
    columns: Annotated[
        int | None, typer.Option(min=1, help="Images in a row. Default: a square.")
    ] = None,
    label: Annotated[
        int | None, typer.Option(help="The class, for a GAN that knows classes. Default: any.")
    ] = None,
    seed: Seed = 0,
):
    """Draw a grid of generated images."""
    from kgan.images import save_grid

    model = arguments.load_model(gan)
    images = model.generate(count, seed=seed, **arguments.labels_for(model, label))
    save_grid(out, images, columns)
    console.print(f"Drew {count} images: {out}")


@app.command()
def interpolate(
    gan: SavedGAN,
    out: Annotated[Path, typer.Option(help="A .gif that moves, or a .png strip.")] = Path(
        "walk.gif"
    ),
    points: Annotated[int, typer.Option(min=2, help="Latents to visit.")] = 4,
    steps: Annotated[int, typer.Option(min=2, help="Images from one to the next.")] = 12,
    label: Annotated[
        int | None, typer.Option(help="The class, for a GAN that knows classes. Default: 0.")
    ] = None,
    seed: Seed = 0,
):
    """Draw a walk through latent space: a closed one as a GIF, or a strip of images."""
    from kgan import latent
    from kgan.images import save_gif, save_grid

    if out.suffix not in (".gif", ".png"):
        raise ValueError(f"A walk is a .gif or a .png. Received: --out {out}")
    model = arguments.load_model(gan)
    moving = out.suffix == ".gif"
    path = latent.walk(model.draw_latents(points, seed), steps, closed=moving)
    inputs = [path]
    if hasattr(model, "draw_labels"):
        inputs.append(model.draw_labels(len(path), label or 0))
    else:
        arguments.labels_for(model, label)
    images = model.images_of(*inputs)
    if moving:
        save_gif(out, images)
    else:
        save_grid(out, images, columns=steps)
    console.print(f"Drew {len(images)} images: {out}")


@app.command()
def export(
    gan: SavedGAN,
    to: Annotated[str, typer.Option(help="Formats, separated by commas.")] = "onnx",
    out: Annotated[Path, typer.Option(help="Folder for the files and their report.")] = Path(
        "bundle"
    ),
):
    """Export the generator and prove that each file gives the same images as Keras."""
    model = arguments.load_model(gan)
    with console.status("Exporting") as status:
        report = model.export(
            out,
            formats=tuple(part.strip() for part in to.split(",")),
            progress=lambda stage: status.update(f"Exporting: {stage}"),
        )
    console.print(str(report))


@app.command()
def verify(
    path: Annotated[
        Path, typer.Argument(help="An exported file, a bundle, or an export_report.json.")
    ],
):
    """Check again that exported files are whole and give the images they were proven with."""
    from kgan.export import verify

    report = verify(path)
    for artefact in report.artefacts:
        console.print(
            f"{report.folder / artefact.file}: unchanged, and gives the stored outputs "
            f"(largest error {artefact.max_error:.1e}, tolerance {artefact.tolerance:.0e}): passed"
        )


def main():
    """Runs the command; an error that the user can mend is a message, not a traceback."""
    from kgan.export import ExportError

    try:
        app()
    except ExportError as error:
        _fail(error, 1)
    except (ValueError, ImportError, OSError) as error:
        _fail(error, 2)


def _fail(error, code):
    print(f"kgan: {error}", file=sys.stderr)
    sys.exit(code)
