"""The variety of images relative to real ones, cheap enough for every epoch."""

import keras
import numpy as np

from kgan import backend, checks
from kgan.metrics import neighbors

LARGEST_SIDE = 32  # larger images are averaged down before their distances are taken


def variety(made, real):
    """Compares the distances within generated images with those within real ones.

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
    """Samples of a model from fixed latents or inputs, with real images to compare.

    Args:
        model: an `AdversarialModel`.
        batch: real data in the form of the model's `fit`, NumPy arrays.
        count: images to generate from latents; a translator makes one for each input.
        seed: seed of the latents.

    Raises:
        ValueError: if there is only one real image, or they are all equal, or what the model makes
            has another shape.
    """

    def __init__(self, model, batch, count, seed):
        self.model, self.count, self.seed = model, count, seed
        if len(keras.tree.flatten(batch)[0]) < 2:
            raise ValueError(
                "The variety of one real image cannot be measured: pass several as real_images=. "
                "Received: a first batch of 1 image"
            )
        model.check_batch(batch)
        if model.unpaired:
            batch = keras.tree.map_structure(_unequal, batch)
        self.batch = batch
        state = backend.random_state()  # which even `predict` moves on PyTorch
        pairs = self._played()
        backend.set_random_state(state)
        self.real = [_unequal(real) for _, real in pairs]
        for (made, _), real in zip(pairs, self.real, strict=True):
            if made.shape[1:] != real.shape[1:]:
                raise ValueError(
                    "The monitor compares generated with real samples of the same shape: pass "
                    "such samples as real_images=, or define real_in(batch) if the real samples "
                    "are not the first part of what unpack() returns. Received: made "
                    f"{made.shape[1:]}, "
                    f"real {real.shape[1:]}"
                )

    def _played(self):
        """A list of `(made, real)`, one for each kind of samples that the model makes."""
        model = self.model
        pairs = [
            model.real_and_generated(self.batch, np.random.default_rng(self.seed), domain)
            for domain in reversed(model.scored_domains)
        ]
        return [(np.asarray(made), checks.to_numpy(real)) for real, made in pairs]

    def __call__(self):
        """Returns a list of `(made, real)`: one, or of a CycleGAN one for each direction."""
        if self.model.draws_all:
            return [(self.model.generate(self.count, seed=self.seed), self.real[0])]
        made = [each for each, _ in self._played()]
        return list(zip(made, self.real, strict=True))


def _unequal(images):
    """Returns the distinct images: repeated ones would have nearest distance 0."""
    _, places = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    if len(places) < 2:
        raise ValueError(
            "Equal real images have no variety to compare with: pass others as real_images=. "
            f"Received: {len(images)} equal images"
        )
    return images[np.sort(places)]


def _distances(samples):
    """Returns the root mean square distance of all pairs, and the mean nearest distance."""
    flat = samples.reshape(len(samples), -1).astype("float64")
    if not np.isfinite(flat).all():
        return np.array([np.nan, np.nan])
    distances = np.concatenate([rows for _, rows in neighbors.blocks(flat, flat)])
    np.fill_diagonal(distances, np.nan)
    nearest = np.sqrt(np.nanmin(distances, axis=1)).mean()
    return np.array([np.sqrt(np.nanmean(distances)), nearest])


def _small(images):
    """Returns images with sides of at most `LARGEST_SIDE`, by means over blocks."""
    if images.ndim != 4:
        return images
    count, *sides, channels = images.shape
    height, width = (-(-side // LARGEST_SIDE) for side in sides)
    images = images[:, : sides[0] // height * height, : sides[1] // width * width]
    blocks = images.reshape(count, sides[0] // height, height, sides[1] // width, width, channels)
    return blocks.mean(axis=(2, 4))
