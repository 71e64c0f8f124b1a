"""What `train` needs to learn to make images of latents."""

from kgan.cli import sources
from kgan.cli.kinds import Kind
from kgan.cli.run import Run


def prepare(recipe):
    """A `Run` that learns to make images."""
    import keras

    import kgan

    images, labels = sources.load_images(recipe)
    stream = isinstance(images, keras.utils.PyDataset)
    shape = (images[0] if stream else images).shape[1:]
    if stream:
        images.sources[0].tell()  # of what is broken among these, before it is counted
    return Run(
        make_model(recipe, shape, labels),
        images,
        kgan.callbacks.SampleGrid(recipe.out / "samples", seed=recipe.seed, film=True),
        shape,
        None if stream else recipe.batch_size,
        None if recipe.model is Kind.gan else labels,
        labels,
    )


def make_model(recipe, shape, labels):
    """The model of a recipe, for images of a shape; labels are those that the data have, or None.

    Raises:
        ValueError: if the model learns from labels, and there are none.
    """
    import kgan

    kind, latent_dim, width, seed = recipe.model, recipe.latent_dim, recipe.width, recipe.seed
    generator = getattr(kgan.networks, f"{recipe.network}_generator")
    discriminator = getattr(kgan.networks, f"{recipe.network}_discriminator")
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
