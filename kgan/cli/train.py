"""The command that trains."""

import math
from pathlib import Path
from typing import Annotated

from kgan.cli import arguments, measures, reading, run_folder, settings, translators
from kgan.cli.arguments import Kind, Network
from kgan.cli.best_model import Followed
from kgan.cli.console import Seed, console, typer


def train(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            help="**digits** (with scikit-learn), a folder of images, or the name of a TensorFlow "
            "Datasets set such as mnist. For pix2pix a folder of pairs side by side, or of inputs; "
            "for cyclegan one that holds trainA and trainB, or domain A, or a set such as "
            "cycle_gan/horse2zebra."
        ),
    ],
    targets: Annotated[
        Path | None, typer.Option(help="The folder of pix2pix's targets, or of cyclegan's B.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for gan.keras, samples/, log.csv, warnings.jsonl, settings.json, "
            "checkpoint.keras and, with --metrics, best.keras."
        ),
    ] = Path("runs/gan"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 20,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Images a step. Default: 64, or 1 for pix2pix and cyclegan."),
    ] = None,
    model: Annotated[
        Kind,
        typer.Option(
            help="conditional and acgan learn to make the class they are asked for; pix2pix "
            "learns to translate images from pairs, cyclegan between two folders without pairs."
        ),
    ] = Kind.gan,
    network: Annotated[
        Network | None,
        typer.Option(
            help="Family of the networks; pix2pix and cyclegan have their own. Default: dcgan."
        ),
    ] = None,
    width: Annotated[int, typer.Option(min=1, help="Filters or units of the networks.")] = 64,
    latent_dim: Annotated[
        int | None, typer.Option(min=1, help="Length of the latent. Default: 64.")
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="The game: see kgan.losses. Default: the model's own.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Of Adam, for both players.")] = 2e-4,
    decay: Annotated[
        bool, typer.Option("--decay", help="Let the rate fall to zero in the second half.")
    ] = False,
    image_size: Annotated[
        str | None, typer.Option(help="Resize to this height and width, as in 64 or 96x128.")
    ] = None,
    channels: Annotated[
        str, typer.Option(help="Of images in folders: 3, 1 (grey), or of both kinds as in 3,1.")
    ] = "3",
    background: reading.Background = "white",
    interpolation: reading.Interpolation = "bilinear",
    swap: Annotated[
        bool, typer.Option("--swap", help="Of pix2pix: the right image, or target, is the input.")
    ] = False,
    jitter: Annotated[
        bool, typer.Option(help="Of pix2pix and cyclegan: random crops and mirroring.")
    ] = True,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where TensorFlow Datasets keeps its sets.")
    ] = None,
    download: Annotated[bool, typer.Option(help="Whether to download a missing set.")] = True,
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Measure after each epoch, on a tenth of the images that is held out, and keep "
            "the best weights in best.keras by the first measure, which is frechet_distance, "
            "kernel_distance or sliced_wasserstein; more as in kgan evaluate, by commas."
        ),
    ] = None,
    features: Annotated[str, typer.Option(help=measures.FEATURES)] = "pixels",
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
    **kgan train photos/ --image-size 64 --out runs/photos**, or
    **kgan train pairs/ --model pix2pix --image-size 128**. The same command with **--resume**
    goes on after a crash, from the last whole epoch, as if nothing had happened.
    """
    if not 0 < learning_rate < math.inf:
        raise ValueError(
            "A rate of 0 learns nothing, and others than positive numbers spoil a run: take one "
            f"such as 2e-4. Received: --learning-rate {learning_rate}"
        )
    if metrics is None and features != "pixels":
        raise ValueError(
            "--features is for measures: add --metrics, such as frechet_distance. "
            f"Received: --features {features} without --metrics"
        )
    if resume and overwrite:
        raise ValueError(
            "A run goes on or starts anew: take one of the two. Received: --resume --overwrite"
        )
    options = {"image_size": arguments.size(image_size), "channels": arguments.channels(channels)}
    options |= {"data_dir": data_dir, "download": download, "width": width, "seed": seed}
    translates = model in (Kind.pix2pix, Kind.cyclegan)
    options |= reading.options(background, interpolation, both=translates)
    if translates:
        arguments.refuse_for_translators(network=network, latent_dim=latent_dim)
        own = {"batch_size": batch_size or 1, "jitter": jitter, "swap": swap}
    else:
        arguments.refuse_for_gans(targets=targets, swap=swap)
        own = {"batch_size": batch_size or 64, "network": network or Network.dcgan}
        own |= {"latent_dim": latent_dim or 64}
    asked = context.params | {"jitter": None, "features": metrics and features} | own
    context.with_resource(run_folder.the_only_run(out))
    run_folder.check(out, resume, overwrite)
    done = 0
    if resume:
        settings.check_same(out, asked)
        done = run_folder.epochs_done(out)
        if done >= epochs:
            _tell_of_the_end(out, done, epochs)
            return

    import keras

    import kgan

    keras.utils.set_random_seed(seed)
    if translates:
        run = translators.prepare(model, data, targets, out / "samples", **options, **own)
    else:
        run = arguments.prepare(model, data, out / "samples", **options, **own)
    followed = Followed(run, metrics, features, seed)
    asked |= {"best": followed.monitor, "best_doubt": followed.doubt}
    rates = [run.rate(learning_rate, epochs, decay) for _ in range(2)]
    optimizers = [keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates]
    run.model.compile(
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        metrics=followed.metrics,
        **({"loss": loss} if loss else {}),
    )
    if overwrite:
        run_folder.clear(out)
    checkpoint = out / run_folder.CHECKPOINT
    console.print(f"Training on {run} (Keras on {keras.backend.backend()})")
    if resume:
        console.print(f"Going on after epoch {done} of {epochs}, from {checkpoint}")
    record = settings.Record(out, asked, run)
    best = followed.callbacks(out / "best.keras")
    monitor = run.monitor(out / "warnings.jsonl", followed.coverage)
    try:
        run.model.fit(
            run.images,
            run.labels,
            batch_size=run.batch_size,
            epochs=epochs,
            verbose=0,
            validation_data=followed.validation,
            callbacks=[
                kgan.callbacks.ProgressBar(),
                monitor,
                run.picture,
                *best,
                record.callback(),
                keras.callbacks.CSVLogger(str(out / "log.csv"), append=resume),
                kgan.callbacks.TerminateOnNaN(),
            ],
            checkpoint=checkpoint,
        )
    except (KeyboardInterrupt, SystemExit) as stop:
        record.write()
        again = "the same command with --resume goes on from the last whole epoch"
        if not checkpoint.is_file():
            again = "no epoch was whole, so there is nothing to go on from"
        console.print(f"Stopped: {again}.")
        raise typer.Exit(getattr(stop, "code", 130)) from None
    record.write()
    left_out, found = run.left_out(followed.validation)
    if left_out:
        console.print(f"Trained on {found - left_out} of {found} images: the others are unreadable")
    for kept in best:
        if math.isfinite(kept.best):
            console.print(f"Saved {out}/best.keras, of the best {kept.monitor}: {kept.best:.5g}")
        else:
            (out / "best.keras").unlink(missing_ok=True)
            console.print(f"There is no best.keras: {kept.monitor} was no number in any epoch")
    broken = [warning for warning in monitor.warnings if warning.rule == "not_finite"]
    if broken:
        raise ValueError(
            f"Training broke down in epoch {broken[0].epoch}, so there is no gan.keras: start anew "
            f"with --overwrite and a lower rate. Received: --learning-rate {learning_rate}"
        )
    run.model.save(out / "gan.keras")
    console.print(f"Saved {out}/gan.keras; pictures in {out}/samples, losses in {out}/log.csv")
    console.print(f"For a page of all that: kgan report {out}")


def _tell_of_the_end(out, done, epochs):
    """Says that a run has had its epochs, and saves the GAN of one that was killed after them."""
    if run_folder.finish(out):
        console.print(f"Saved {out}/{run_folder.GAN}")
    console.print(
        f"Nothing is left to train: the run in {out} has had {done} epochs, and --epochs {epochs} "
        "asks for no more. To go on with it, give a larger number."
    )
