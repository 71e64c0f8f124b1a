"""The saved GAN, or exported file, that the argument of a command names."""

import zipfile

from kgan.cli import run_folder
from kgan.export import formats


def saved_in(path):
    """The saved GAN in the folder of a run, or the path itself."""
    return path / run_folder.GAN if (path / run_folder.GAN).is_file() else path


def named(path):
    """The saved GAN or exported file that is meant by its path, or by the folder of a run.

    Raises:
        ValueError: if there is none, since there is nothing or the run has not ended.
    """
    folder = path.parent if path.name == run_folder.GAN else path
    checkpoint, found = folder / run_folder.CHECKPOINT, saved_in(path)
    if checkpoint.is_file() and not found.is_file() and not formats.of_folder(path):
        raise ValueError(
            f"This run has not ended, so there is no {run_folder.GAN} yet: end it with --resume "
            "added to its kgan train command, or name its last whole epoch, "
            f"{checkpoint}. Received: {path}"
        )
    if not found.exists() and not formats.is_exported(found):
        raise ValueError(f"There is no saved GAN here. Received: {path}")
    return found


def load_model(path):
    """A saved GAN, or a ValueError that says why it is none."""
    from kgan import AdversarialModel
    from kgan.training import serialization

    path = named(path)
    if formats.is_exported(path) and path.is_file():
        raise ValueError(
            "An exported file is for kgan translate, kgan evaluate and kgan verify: name the saved "
            "GAN here, such as run/gan.keras. "
            f"Received: {path}"
        )
    if not path.is_file():
        raise ValueError(f"There is no saved GAN here. Received: {path}")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            "This file is damaged, or not a model saved by Keras: train anew, or name another. "
            f"Received: {path}"
        )
    try:
        model = serialization.load(path)
    except ValueError as error:
        raise ValueError(
            "This file cannot be loaded as a GAN. The command knows the classes "
            "of kgan alone: a model of your own class is for a program that defines it. "
            f"Received: {path} ({error})"
        ) from error
    if not isinstance(model, AdversarialModel):
        raise ValueError(
            "This file holds another kind of model: name a GAN, such as run/gan.keras. "
            f"Received: {path} with a {type(model).__name__}"
        )
    return model


def load_sampler(path):
    """A saved GAN that makes images of latents."""
    model = load_model(path)
    if not model.draws_latents:
        raise ValueError(
            f"This model makes images of images: use kgan translate or kgan grid. Received: {path} "
            f"with a {type(model).__name__}"
        )
    if not model.draws_all:
        told = ", ".join(each.name for each in model.takes if not each.is_drawn)
        raise ValueError(
            "This model is told what no option of the command gives, so it takes a program to ask "
            f"it for images. Received: {path}, which is told {told}"
        )
    return model


def load_translator(path):
    """A saved model that makes images of images."""
    model = load_model(path)
    if model.draws_latents:
        raise ValueError(
            "This model makes images of latents: use kgan sample. "
            f"Received: {path} with a {type(model).__name__}"
        )
    return model
