"""Steering a trained generator by its latents, without training it again.

Everything here is NumPy on latents `(count, latent_dim)`. What looks at images takes a function
from latents to images, so that a Keras generator, `gan.images_of`, or an exported file will do.
"""

import keras
import numpy as np

from kgan.checks import check_function
from kgan.utils import numbers

NARROW = 0.5  # below it a truncated normal is drawn from a uniform distribution


def linear(start, end, steps: int = 8) -> np.ndarray:
    """Returns `steps` points on the line from one latent to another, both included.

    Args:
        start, end: latents of one shape.
        steps: how many points, at least 2.

    Raises:
        ValueError: if the shapes differ or there are fewer than 2 steps.
    """
    start, end, shares = _between(start, end, steps)
    return ((1 - shares) * start + shares * end).astype("float32")


def spherical(start, end, steps: int = 8) -> np.ndarray:
    r"""Returns points on the great circle from one latent to another, both included.

    $\frac{\sin((1-t)\theta)}{\sin\theta} a + \frac{\sin(t\theta)}{\sin\theta} b$ with the angle
    $\theta$ between them. Samples of a normal in many dimensions lie near a sphere, whose inside a
    straight line crosses, where the generator was never trained.

    Arguments and errors: as for `linear`.

    Reference: White, Sampling Generative Networks, 2016 (arXiv:1609.04468), section 2.1.
    """
    start, end, shares = _between(start, end, steps)
    lengths = np.linalg.norm(start) * np.linalg.norm(end)
    cosine = np.clip(np.sum(start * end) / max(lengths, 1e-12), -1, 1)
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:  # on one line the circle is not defined, or is the line
        return linear(start, end, steps)
    mixed = np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end
    return (mixed / np.sin(angle)).astype("float32")


def walk(points, steps: int = 8, closed: bool = False, path=spherical) -> np.ndarray:
    """Returns a path through several latents.

    Args:
        points: latents `(count, latent_dim)`, at least 2.
        steps: points from one latent to the next.
        closed: whether the path returns to the first latent, as for a GIF. Default: False.
        path: `spherical` (default) or `linear`.

    Returns:
        float32 latents; each of the given ones once.

    Raises:
        ValueError: if there are fewer than 2 points, or not even one step.
    """
    points, steps = numbers.array("points", points), numbers.count("steps", steps)
    if points.ndim < 2 or len(points) < 2:
        raise ValueError(
            "A walk needs at least 2 latents. "
            f"Received: {len(points) if points.ndim > 1 else f'shape {points.shape}'}"
        )
    points, closed = points.astype("float32"), numbers.flag("closed", closed)
    check_function("path", path)
    following = np.roll(points, -1, axis=0)
    pairs = list(zip(points, following, strict=True))[: None if closed else -1]
    parts = [path(a, b, steps + 1)[:-1] for a, b in pairs]
    return np.concatenate(parts if closed else [*parts, points[-1:]])


def arithmetic(add, subtract) -> np.ndarray:
    """Returns the sum of averaged latents minus others: "smiling woman - woman + man".

    Args:
        add, subtract: sequences of groups, each the latents `(count, latent_dim)` of images with
            something in common; a group is averaged first, which takes out what they differ in.

    Returns:
        One latent `(latent_dim,)`, float32.

    Example: `arithmetic(add=[smiling_women, men], subtract=[women])`.

    Reference: Radford et al., Unsupervised Representation Learning with Deep Convolutional
    Generative Adversarial Networks, 2016 (arXiv:1511.06434), section 6.3.2.
    """
    means = [_means("add", add), _means("subtract", subtract)]
    if means[0][0].shape != means[1][0].shape:
        raise ValueError(
            "All latents must have one length. "
            f"Received: add of shape {means[0][0].shape}, subtract of {means[1][0].shape}"
        )
    return (np.sum(means[0], axis=0) - np.sum(means[1], axis=0)).astype("float32")


def truncated(count: int, latent_dim: int, threshold: float, seed: int | None = None) -> np.ndarray:
    """Returns latents of a normal without the values beyond a threshold, any threshold.

    A small threshold gives typical images with less variety.

    Args:
        count, latent_dim: the shape.
        threshold: the greatest absolute value, above 0 and finite; 0.5 to 2 is usual.
        seed: an int gives the same latents each time. Default: new ones.

    Raises:
        ValueError: if the shape is not of positive integers, the threshold not a finite number
            above 0, or the seed not an integer from 0.

    Reference: Brock et al., Large Scale GAN Training for High Fidelity Natural Image Synthesis,
    2019 (arXiv:1809.11096), section 3.1.
    """
    shape = numbers.count("count", count), numbers.count("latent_dim", latent_dim)
    threshold = numbers.positive("threshold", threshold)
    rng = np.random.default_rng(numbers.seed(seed))
    latents = np.full(shape, np.nan)
    while (missing := np.isnan(latents)).any():
        latents[missing] = _proposed(rng, missing.sum(), threshold)
    return latents.astype("float32")


def _proposed(rng, count, threshold):
    """Draws of a truncated normal; NaN in place of those to be drawn again, at most two thirds."""
    if threshold >= NARROW:
        values = rng.standard_normal(count)
        kept = np.abs(values) <= threshold
    else:
        # Few draws of a normal are so small, but to a uniform one they are nearly equal.
        values = rng.uniform(-threshold, threshold, count)
        kept = rng.random(count) < np.exp(-(values**2) / 2)
    return np.where(kept, values, np.nan)


def supervised(generate, score, latent_dim: int, count: int = 2000, seed: int = 0) -> np.ndarray:
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


def sefa(generator, count: int = 5) -> np.ndarray:
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


def principal(generate, latent_dim: int, count: int = 5, samples: int = 2000, seed: int = 0):
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
    from kgan.utils.optional import require

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


def _means(name, groups):
    """The mean latent of each group."""
    if not isinstance(groups, (list, tuple, np.ndarray)) or not len(groups):
        raise ValueError(
            f"{name} must be a list of groups of latents. Received: {name}={numbers.shown(groups)}"
        )
    means = [np.mean(np.atleast_2d(numbers.array(name, group)), axis=0) for group in groups]
    if len({mean.shape for mean in means}) > 1 or means[0].ndim != 1:
        raise ValueError(
            f"The groups of {name} must be latents (count, latent_dim) of one length. "
            f"Received: means of shape {', '.join(str(mean.shape) for mean in means)}"
        )
    return means


def _numpy(values):
    """What a function of any framework returns, as NumPy."""
    values = values if isinstance(values, np.ndarray) else keras.ops.convert_to_numpy(values)
    return values.astype("float64")


def _between(start, end, steps):
    start = numbers.array("start", start).astype("float64")
    end = numbers.array("end", end).astype("float64")
    if start.shape != end.shape:
        raise ValueError(
            f"The two latents must have one shape. Received: start {start.shape}, end {end.shape}"
        )
    numbers.count("steps", steps, 2)
    return start, end, np.linspace(0, 1, steps).reshape(-1, *[1] * start.ndim)


def _unit(vector):
    return (vector / np.linalg.norm(vector)).astype("float32")


def _flat(model):
    for layer in model.layers:
        yield from _flat(layer) if hasattr(layer, "layers") else [layer]


def _is_dense(layer):
    return type(layer).__name__ == "Dense"
