"""How varied images are, beside real ones: cheap enough for every epoch."""

import keras
import numpy as np
from keras import ops

from kgan import checks
from kgan.metrics import neighbors

LARGEST_SIDE = 32  # larger images are averaged down before their distances are taken


def variety(made, real):
    """Compares the distances within a batch of made images with those within real ones.

    Distances are Euclidean, between pixels averaged over blocks where images are large.

    Args:
        made, real: float arrays `(count, ...)` of samples of one shape; as many of each are
            compared as the fewer are.

    Returns:
        `(diversity, distinctness)`, two floats that are 1 where made images are as varied as real
        ones and 0 where all are alike. Diversity is the ratio of the root mean square distances of
        all pairs. Distinctness is that of the mean distances to the nearest other image: it also
        falls where samples repeat a few images that differ from each other, which the distances of
        all pairs hardly show. NaN for fewer than two images, or real ones that are all alike.
    """
    count = min(len(made), len(real))
    if count < 2:
        return np.nan, np.nan
    for reduced in (_small, lambda images: images):
        found = [_distances(reduced(images[:count])) for images in (made, real)]
        if found[1].all():
            break  # else real images are alike but for what averaging takes away
    made, real = found
    return tuple(float(a / b) if b > 0 else np.nan for a, b in zip(made, real, strict=True))


class Drawn:
    """What a model makes of latents, or of inputs, that stay the same, beside real images.

    Args:
        model: an `AdversarialModel` that generates or translates images.
        batch: real data in the form of the model's `fit`, NumPy arrays.
        count: images to make of latents; of a translator one for each input.
        seed: seed of the latents.

    Raises:
        ValueError: if there is only one real image, or they are all equal, or the model makes no
            images in a way known here.
    """

    def __init__(self, model, batch, count, seed):
        self.model, self.count, self.seed = model, count, seed
        if len(keras.tree.flatten(batch)[0]) < 2:
            raise ValueError(
                "One real image says nothing of variety: give several with real_images=. "
                "Received: a first batch of 1 image"
            )
        model.check_batch(batch)
        parts = keras.tree.map_structure(ops.convert_to_numpy, model.unpack(batch))
        if hasattr(model, "translate"):
            self.inputs, self.real = parts
        elif hasattr(model, "generator"):
            self.real = model.images_in(parts) if hasattr(model, "images_in") else parts
        if not isinstance(getattr(self, "real", None), np.ndarray):
            raise ValueError(
                "The monitor draws with generate() or translate(), and compares with the images "
                "that unpack() gives: name the network `generator`, or define `images_in(batch)`. "
                f"Received: a {type(model).__name__}"
            )
        for network, images in self._judged():
            checks.check_images(images, network.output_shape[1:], "generator", "makes")
        self.real = _unequal(self.real)
        if hasattr(model, "generator_ba"):
            self.inputs = _unequal(self.inputs)

    def _judged(self):
        """The networks that make images, each with the real ones that its own stand beside."""
        if hasattr(self.model, "generator_ba"):
            return [(self.model.generator_ab, self.real), (self.model.generator_ba, self.inputs)]
        generator = getattr(self.model, "generator", None)
        return [] if generator is None else [(generator, self.real)]

    def __call__(self):
        """Returns a list of `(made, real)`: one, or of a CycleGAN one for each direction."""
        if hasattr(self.model, "generator_ba"):
            to_b = self.model.translate(self.inputs, direction="ab")
            to_a = self.model.translate(self.real, direction="ba")
            return [(to_b, self.real), (to_a, self.inputs)]
        if hasattr(self.model, "translate"):
            return [(self.model.translate(self.inputs), self.real)]
        return [(self.model.generate(self.count, seed=self.seed), self.real)]


def _unequal(images):
    """The images, each once: of a few that are repeated none would be far from the nearest."""
    _, places = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    if len(places) < 2:
        raise ValueError(
            "Real images that are all equal say nothing of variety: give others with real_images=. "
            f"Received: {len(images)} equal images"
        )
    return images[np.sort(places)]


def _distances(samples):
    """The root mean square distance of all pairs, and the mean one to the nearest other sample."""
    flat = samples.reshape(len(samples), -1).astype("float64")
    if not np.isfinite(flat).all():
        return np.array([np.nan, np.nan])
    distances = np.concatenate([rows for _, rows in neighbors.blocks(flat, flat)])
    np.fill_diagonal(distances, np.nan)
    nearest = np.sqrt(np.nanmin(distances, axis=1)).mean()
    return np.array([np.sqrt(np.nanmean(distances)), nearest])


def _small(images):
    """Images with sides of at most `LARGEST_SIDE`, by means over blocks."""
    if images.ndim != 4:
        return images
    count, *sides, channels = images.shape
    height, width = (-(-side // LARGEST_SIDE) for side in sides)
    images = images[:, : sides[0] // height * height, : sides[1] // width * width]
    blocks = images.reshape(count, sides[0] // height, height, sides[1] // width, width, channels)
    return blocks.mean(axis=(2, 4))
