"""What `train` needs to learn translations, and other commands to find their images."""

import functools
from pathlib import Path

from kgan.cli import arguments, reference, settings, sources
from kgan.cli.arguments import Kind
from kgan.cli.console import console

SHOWN_ROWS = 4  # in the pictures of each epoch


def prepare(kind, source, targets, samples, *, swap, jitter, width, seed, batch_size, **options):
    """A `arguments.Run` that learns to translate.

    Args:
        kind, source: the model and the first argument of `train`; the others are its options.
        samples: the folder of pictures.
        **options: `image_size`, `channels`, `data_dir`, `download`, and how images are read.
    """
    import kgan

    if kind is Kind.cyclegan:
        refuse_swap(swap)
        load, make = _domains(source, targets, **options), _cyclegan
    else:
        load, make = _pairs(source, targets, swap, **options), _pix2pix
    data = load(batch_size=batch_size, seed=seed)
    shown = reference.part(data, None, SHOWN_ROWS, seed=seed)[0]
    *size, channels = shown[0].shape[1:]
    layer = kgan.layers.jitter(size, seed=seed) if jitter else None
    model = make(size, channels, shown[1].shape[-1], width, jitter=layer, seed=seed)
    picture = kgan.callbacks.TranslationGrid(samples, *shown, film=True)
    return arguments.Run(model, data, picture, shown[0].shape[1:])


def _pairs(source, targets, swap, image_size, data_dir, download, **options):
    """The loader of pairs for a `--model pix2pix`."""
    from kgan.data import files, image_pairs
    from kgan.data.image_pairs import no_pair

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
    return functools.partial(image_pairs, source, targets, image_size, swap=swap, **options)


def _domains(source, targets, image_size, data_dir, download, **options):
    """The loader of two domains for a `--model cyclegan`."""
    from kgan import data

    if targets is None and not Path(source).is_dir():
        sources.refuse_path(source)
        if image_size is None:
            raise ValueError(
                "There is no such folder, and a set of TensorFlow Datasets needs --image-size. "
                f"Received: {source} without --image-size"
            )
        options |= {"data_dir": data_dir, "download": download}
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
    swap = "swap" in settings.trained_with(gan)
    if swap:
        console.print("The right image, or target, is the input, as in training (--swap)")
    return swap


def is_cyclegan(model):
    return hasattr(model, "generator_ba")


def refuse_swap(swap):
    if swap:
        raise ValueError(
            "A CycleGAN learns both ways: name the folders in the other order, or use "
            "kgan translate --direction ba. Received: --swap"
        )
