"""What `train` needs to learn translations, and other commands to find their images."""

import functools
from pathlib import Path

from kgan.cli import reference, settings, sources
from kgan.cli.console import console
from kgan.cli.kinds import Kind
from kgan.cli.run import Run

SHOWN_ROWS = 4  # in the pictures of each epoch


def prepare(recipe):
    """A `Run` that learns to translate."""
    import kgan

    seed = recipe.seed
    if recipe.model is Kind.cyclegan:
        refuse_swap(recipe.swap)
        load, make = _domains(recipe), _cyclegan
    else:
        load, make = _pairs(recipe), _pix2pix
    data = load(batch_size=recipe.batch_size, seed=seed)
    shown = reference.part(data, None, SHOWN_ROWS, seed=seed)[0]
    *size, channels = shown[0].shape[1:]
    jitter = kgan.layers.jitter(size, seed=seed) if recipe.jitter else None
    model = make(size, channels, shown[1].shape[-1], recipe.width, jitter=jitter, seed=seed)
    picture = kgan.callbacks.TranslationGrid(recipe.out / "samples", *shown, film=True)
    return Run(model, data, picture, shown[0].shape[1:])


def _pairs(recipe):
    """The loader of pairs for a `--model pix2pix`."""
    from kgan.data import files, image_pairs
    from kgan.data.image_pairs import no_pair

    source, targets, image_size = recipe.data, recipe.targets, recipe.image_size
    if targets is None and (Path(source) / "trainA").is_dir():
        raise ValueError(
            "These are two domains without pairs: learn them with --model cyclegan, or name "
            "the folders of inputs and of targets: kgan train INPUTS --targets TARGETS. "
            f"Received: {source} with trainA, --model pix2pix"
        )
    single = targets is None and no_pair(files.sizes_of(files.find_images(source)), image_size)
    if single:
        raise ValueError(
            "These look like single images, not like pairs side by side: name the folder of their "
            "targets with --targets, or learn from two folders without pairs with --model "
            "cyclegan. If they are pairs, give --image-size the proportions of a half. "
            f"Received: {single}"
        )
    options = {"channels": recipe.channels, "swap": recipe.swap, **recipe.image_options()}
    return functools.partial(image_pairs, source, targets, image_size, **options)


def _domains(recipe):
    """The loader of two domains for a `--model cyclegan`."""
    from kgan import data

    source, targets, image_size = recipe.data, recipe.targets, recipe.image_size
    options = {"channels": recipe.channels, **recipe.image_options()}
    if targets is None and not Path(source).is_dir():
        sources.refuse_path(source)
        if image_size is None:
            raise ValueError(
                "There is no such folder, and a set of TensorFlow Datasets needs --image-size. "
                f"Received: {source} without --image-size"
            )
        options |= {"data_dir": recipe.data_dir, "download": recipe.download}
        load = functools.partial(data.tfds_domains, source, image_size, **options)
        return sources.looked_up(source)(load)
    folders = two_domains(source, targets, ("train",))
    return functools.partial(data.image_domains, *folders, image_size, **options)


def _pix2pix(size, channels, channels_out, width, **options):
    import kgan

    return kgan.Pix2Pix(
        kgan.networks.unet_generator((*size, channels), channels_out, width),
        _patches(size, channels + channels_out, width),
        **options,
    )


def _cyclegan(size, channels_a, channels_b, width, **options):
    import kgan

    return kgan.CycleGAN(
        kgan.networks.cyclegan_generator((*size, channels_a), channels_b, width),
        kgan.networks.cyclegan_generator((*size, channels_b), channels_a, width),
        _patches(size, channels_a, width),
        _patches(size, channels_b, width),
        identity_weight=0.5 if channels_a == channels_b else 0.0,
        **options,
    )


def _patches(size, channels, width):
    """Patches of the papers' 70 pixels where an image has several of them."""
    from kgan.networks import patch_discriminator

    field = next((f for f in (70, 34) if min(size) >= 1.8 * f), 16)
    return patch_discriminator((*size, channels), width, receptive_field=field)


def two_domains(source, targets, splits):
    """The folders of A and B: two given, or those in the one that the papers' data sets have."""
    if targets is not None:
        return source, targets
    if not Path(source).is_dir():
        raise ValueError(f"There is no such folder of images. Received: {source}")
    for split in splits:
        if (Path(source) / f"{split}A").is_dir():
            return Path(source) / f"{split}A", Path(source) / f"{split}B"
    pairs = " or ".join(f"{split}A and {split}B" for split in splits)
    raise ValueError(
        "A CycleGAN needs images of two domains: name the second folder as well, or one that "
        f"holds {pairs}. Received: {source}"
    )


def swapped(gan, swap):
    """Whether the right image, or target, is the input: as asked, else as in training.

    Args:
        gan: the path of a saved GAN, or of the folder of its run.
        swap: what `--swap` and `--no-swap` say, or None.
    """
    if swap is not None:
        return swap
    swap = bool(settings.trained_with(gan).swap)
    if swap:
        console.print("The right image, or target, is the input, as in training (--swap)")
    return swap


def refuse_swap(swap):
    if swap:
        raise ValueError(
            "A CycleGAN learns both ways: name the folders in the other order, or use "
            "kgan translate --direction ba. Received: --swap"
        )
