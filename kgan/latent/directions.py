"""Directions in latent space along which something in the images changes."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from kgan.checks import check_function
from kgan.utils import numbers
from kgan.utils.optional import require


def supervised(
    generate: Callable[[np.ndarray], npt.ArrayLike],
    score: Callable[[Any], npt.ArrayLike],
    latent_dim: int,
    count: int = 2000,
    seed: int = 0,
) -> np.ndarray:
    """Returns the direction along which a score rises most, by linear regression.

    Args:
        generate: a function from latents `(count, latent_dim)` to images.
        score: a function from images to numbers `(count,)`, such as a classifier's logit.
        latent_dim: length of a latent.
        count: samples to learn from, more than `latent_dim`. Default: 2,000.
        seed: of these. Default: 0.

    Returns:
        A direction of length 1, `(latent_dim,)`, float32: add multiples of it to any latent.

    Raises:
        ValueError: if there are too few samples, or the score is not one number for each of them
            or the same for all.

    Reference: Shen et al., Interpreting the Latent Space of GANs for Semantic Face Editing, 2020
    (arXiv:1907.10786), which takes the normal of a linear classifier; here the score is a number.
    """
    count, latent_dim = numbers.count("count", count), numbers.count("latent_dim", latent_dim)
    check_function("generate", generate)
    check_function("score", score)
    seed = numbers.fixed_seed(seed)
    if count <= latent_dim:
        raise ValueError(
            f"Take more samples than the latent has values, {latent_dim}. Received: count={count}"
        )
    latents = np.random.default_rng(seed).standard_normal((count, latent_dim), "float32")
    scores = _numpy(score(generate(latents)))
    if scores.shape not in ((count,), (count, 1)):
        raise ValueError(
            "The score must be one number for each image, such as the logit of one class: "
            "lambda images: classifier.predict(images)[:, 3]. "
            f"Received: scores of shape {scores.shape} for {count} images"
        )
    scores = scores.reshape(count)
    if np.ptp(scores) == 0:
        raise ValueError(
            f"The score must differ between images. Received: {scores[0]} for all {count}"
        )
    centred = latents - latents.mean(axis=0)
    slope, *_ = np.linalg.lstsq(centred.astype("float64"), scores - scores.mean(), rcond=None)
    return _unit(slope)


def sefa(generator: keras.Model, count: int = 5) -> np.ndarray:
    """Returns the directions that change the first layer's output most: closed form, no samples.

    They are the eigenvectors of $A^T A$ with the greatest eigenvalues, A the weights that the
    latent is multiplied with.

    Args:
        generator: a Keras model whose latent enters a `Dense` layer.
        count: how many directions. Default: 5.

    Returns:
        Directions of length 1, `(count, latent_dim)`, float32, the strongest first.

    Raises:
        ValueError: if no dense layer takes the latent.

    Reference: Shen and Zhou, Closed-Form Factorization of Latent Semantics in GANs, 2021
    (arXiv:2007.06600), equation 6.
    """
    count = numbers.count("count", count)
    shape = getattr(generator, "input_shape", None)
    if shape is None:
        raise ValueError(f"sefa() takes a network: gan.generator. Received: {generator!r}")
    latent_dim = (shape[0] if isinstance(shape, list) else shape)[-1]
    kernel = next((layer.kernel for layer in _flat(generator) if _is_dense(layer)), None)
    if kernel is None or kernel.shape[0] < latent_dim:
        raise ValueError(
            "sefa() reads the weights of the Dense layer that the latent enters. "
            f"Received: {generator.name!r}, which has none"
        )
    # An embedding of the class, if there is one, is concatenated behind the latent.
    weights = np.asarray(kernel.numpy(), "float64")[:latent_dim]
    _, vectors = np.linalg.eigh(weights @ weights.T)
    return vectors[:, ::-1][:, :count].T.astype("float32")


def principal(
    generate: Callable[[np.ndarray], npt.ArrayLike],
    latent_dim: int,
    count: int = 5,
    samples: int = 2000,
    seed: int = 0,
) -> np.ndarray:
    """Returns the directions behind the principal components of a generator's outputs.

    The components are found among the outputs of `generate`, images or activations; each
    direction is the latents' regression on a component.

    Args:
        generate: a function from latents `(count, latent_dim)` to arrays `(count, ...)`.
        latent_dim: length of a latent.
        count: how many directions, at most `latent_dim`. Default: 5.
        samples: how many outputs to look at. Default: 2,000.
        seed: of these. Default: 0.

    Returns:
        Directions of length 1, `(count, latent_dim)`, float32, the strongest first.

    Raises:
        ImportError: if scikit-learn is not installed.

    Reference: Härkönen et al., GANSpace: Discovering Interpretable GAN Controls, 2020
    (arXiv:2004.02546), section 2.2.
    """
    latent_dim, samples = (
        numbers.count("latent_dim", latent_dim),
        numbers.count("samples", samples),
    )
    count, seed = numbers.count("count", count, most=latent_dim), numbers.fixed_seed(seed)
    check_function("generate", generate)
    decomposition = require("sklearn.decomposition", "data", "kgan.latent.principal()")
    latents = np.random.default_rng(seed).standard_normal((samples, latent_dim), "float32")
    outputs = _numpy(generate(latents)).reshape(samples, -1)
    components = decomposition.PCA(count, random_state=seed).fit_transform(outputs)
    slopes, *_ = np.linalg.lstsq(components, latents - latents.mean(axis=0), rcond=None)
    return np.stack([_unit(slope) for slope in slopes])


def _numpy(values):
    """What a function of any framework returns, as NumPy."""
    values = values if isinstance(values, np.ndarray) else keras.ops.convert_to_numpy(values)
    return values.astype("float64")


def _unit(vector):
    return (vector / np.linalg.norm(vector)).astype("float32")


def _flat(model):
    for layer in model.layers:
        yield from _flat(layer) if hasattr(layer, "layers") else [layer]


def _is_dense(layer):
    return type(layer).__name__ == "Dense"
