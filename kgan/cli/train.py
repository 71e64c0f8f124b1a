"""The command that trains."""

import inspect
import math

from kgan.cli import run_folder, samplers, settings, translators
from kgan.cli.best_model import Followed
from kgan.cli.console import console, typer
from kgan.cli.recipe import Recipe


def train(**options):
    """Train a GAN on images and save it with pictures of each epoch.

    For example: **kgan train digits --epochs 100**, or
    **kgan train photos/ --image-size 64 --out runs/photos**, or
    **kgan train pairs/ --model pix2pix --image-size 128**. The same command with **--resume**
    goes on after a crash, from the last whole epoch, as if nothing had happened.
    """
    recipe = Recipe(**options).completed()
    with run_folder.the_only_run(recipe.out):
        run_folder.check(recipe.out, recipe.resume, recipe.overwrite)
        done = 0
        if recipe.resume:
            settings.check_same(recipe)
            done = run_folder.epochs_done(recipe.out)
        if recipe.resume and done >= recipe.epochs:
            _tell_of_the_end(recipe, done)
        else:
            _fit(recipe, done)


train.__signature__ = inspect.signature(Recipe)


def _fit(recipe, done):
    """Trains what a recipe asks for, after the epochs that are done, and saves it."""
    import keras

    import kgan

    out = recipe.out
    keras.utils.set_random_seed(recipe.seed)
    run = (translators if recipe.model.translates else samplers).prepare(recipe)
    followed = Followed(run, recipe.metrics, recipe.features, recipe.seed)
    rates = [run.rate(recipe.learning_rate, recipe.epochs, recipe.decay) for _ in range(2)]
    optimizers = [keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates]
    run.model.compile(
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        metrics=followed.metrics,
        **({"loss": recipe.loss} if recipe.loss else {}),
    )
    if recipe.overwrite:
        run_folder.clear(out)
    checkpoint = out / run_folder.CHECKPOINT
    console.print(f"Training on {run} (Keras on {keras.backend.backend()})")
    if recipe.resume:
        console.print(f"Going on after epoch {done} of {recipe.epochs}, from {checkpoint}")
    record = settings.Record(recipe, run, best=followed.monitor, best_doubt=followed.doubt)
    best = followed.callbacks(out / "best.keras")
    monitor = run.monitor(out / "warnings.jsonl", followed.coverage)
    try:
        run.model.fit(
            run.images,
            run.labels,
            batch_size=run.batch_size,
            epochs=recipe.epochs,
            verbose=0,
            validation_data=followed.validation,
            callbacks=[
                kgan.callbacks.ProgressBar(),
                monitor,
                run.picture,
                *best,
                record.callback(),
                keras.callbacks.CSVLogger(str(out / "log.csv"), append=recipe.resume),
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
    _finish(recipe, run.model, best, monitor)


def _finish(recipe, model, best, monitor):
    """Says which weights are kept, and saves the last ones unless training broke down."""
    out = recipe.out
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
            "with --overwrite and a lower rate. "
            f"Received: --learning-rate {recipe.learning_rate}"
        )
    model.save(out / "gan.keras")
    console.print(f"Saved {out}/gan.keras; pictures in {out}/samples, losses in {out}/log.csv")
    console.print(f"For a page of all that: kgan report {out}")


def _tell_of_the_end(recipe, done):
    """Says that a run has had its epochs, and saves the GAN of one that was killed after them."""
    if run_folder.finish(recipe.out):
        console.print(f"Saved {recipe.out}/{run_folder.GAN}")
    console.print(
        f"Nothing is left to train: the run in {recipe.out} has had {done} epochs, and --epochs "
        f"{recipe.epochs} asks for no more. To go on with it, give a larger number."
    )
