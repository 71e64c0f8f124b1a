"""What the arguments of the command stand for: models, images, saved GANs."""

import enum
from pathlib import Path


class Network(enum.StrEnum):
    """Families in `kgan.networks`."""

    dcgan = "dcgan"
    mlp = "mlp"
    resnet = "resnet"


class Kind(enum.StrEnum):
    """Models that `train` can make; all but the first learn from labels."""

    gan = "gan"
    conditional = "conditional"
    acgan = "acgan"


def make_model(kind, network, shape, latent_dim, width, labels, seed):
    """A model of a kind with networks of a family."""
    import kgan

    generator = getattr(kgan.networks, f"{network}_generator")
    discriminator = getattr(kgan.networks, f"{network}_discriminator")
    if kind is Kind.gan:
        return kgan.GAN(generator(shape, latent_dim, width), discriminator(shape, width), seed=seed)
    if labels is None:
        raise ValueError(
            f"This data has no labels to learn from: train a plain GAN. Received: --model {kind}"
        )
    classes = {"num_classes": int(labels.max()) + 1}
    if kind is Kind.conditional:
        judge, model = discriminator(shape, width, **classes), kgan.ConditionalGAN
    else:
        judge = discriminator(shape, width, conditioning="auxiliary", **classes)
        model = kgan.ACGAN
    return model(generator(shape, latent_dim, width, **classes), judge, **classes, seed=seed)


def labels_for(model, label):
    """The arguments of `generate` for `--label`."""
    if label is None:
        return {}
    if not hasattr(model, "draw_labels"):
        raise ValueError(
            "This GAN knows no classes: leave out --label. "
            f"Received: --label {label} for a {type(model).__name__}"
        )
    return {"labels": label}


def load_images(data, image_size, channels, batch_size, data_dir, download):
    """Images, or a stream of them, and labels if the data has any."""
    from kgan import data as sources

    size = (image_size, image_size) if image_size else None
    if Path(data).is_dir():
        if not size:
            raise ValueError(
                "A folder of images needs --image-size, since they may differ. "
                f"Received: {data} without --image-size"
            )
        return sources.folder(data, size, channels=channels, batch_size=batch_size), None
    if data == "digits":
        return sources.digits(image_size or 8)
    return sources.tfds(data, data_dir=data_dir, download=download, image_size=size)


def load_model(path):
    """A saved GAN, or a ValueError that says why it is none."""
    import keras

    from kgan import AdversarialModel

    if not path.is_file():
        raise ValueError(f"There is no saved GAN here. Received: {path}")
    try:
        model = keras.saving.load_model(path)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "This file cannot be loaded as a GAN saved with gan.save(). A model of your own class "
            "is loaded in Python, after importing the module that defines the class. "
            f"Received: {path} ({str(error).split('.')[0]})"
        ) from error
    if not isinstance(model, AdversarialModel):
        raise ValueError(
            "This file holds another kind of model; save a GAN with gan.save(). "
            f"Received: {path} with a {type(model).__name__}"
        )
    return model
