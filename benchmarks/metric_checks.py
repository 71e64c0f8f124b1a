"""Each measure of kgan.metrics against an independent one: the largest relative difference.

    KERAS_BACKEND=torch python benchmarks/metric_checks.py     # and tensorflow, jax

The independent ones are those of `tests/independent.py`: SciPy's matrix square root, assignment
problem and convolution, scikit-learn's kernels and neighbours, and the papers' formulas; on
TensorFlow also its own `tf.image.ssim_multiscale`. They are given the same images of digits, real
beside the blurred and noisy ones that stand for a generator's, as pixels and as features of a
network with random weights. Nearest neighbours are counted, so there a difference is 0 or a share
of images. Adds its backend to `benchmarks/results/metric_checks.json`; half a minute on a CPU.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np

import kgan
from kgan.metrics import (
    DuplicateRate,
    FrechetDistance,
    KernelDistance,
    MultiScaleSimilarity,
    PrecisionRecall,
    SlicedWasserstein,
)

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import independent  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "metric_checks.json"
TRIALS = 5


def images(seed, side=8):
    """Real digits of a seed, and as many others that are blurred, noisy and sometimes copied."""
    rng = np.random.default_rng(seed)
    digits = kgan.data.digits(side)[0]
    chosen = rng.permutation(len(digits))
    real, base = digits[chosen[:400]], digits[chosen[400:700]]
    blurred = 0.7 * base + 0.15 * (np.roll(base, 1, 1) + np.roll(base, 1, 2))
    noise = rng.uniform(-0.2, 0.2, (2, *base.shape))
    fake = np.concatenate([np.clip(blurred + noise[0], -1, 1), real[:20]])
    # A pixel that is the same in all digits leaves SciPy no root of the covariance.
    real = np.clip(real + rng.uniform(-0.05, 0.05, real.shape), -1, 1)
    return real.astype("float32"), fake.astype("float32")


def network():
    """Features of a random network, smooth so that float32 of each backend stays near."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, strides=2, activation="tanh"),
            layers.Flatten(),
            layers.Dense(24, activation="tanh"),
        ]
    )


def checks(features):
    """For each score: the metric, and a function of real and generated features that knows it."""

    def kernel(i):
        return lambda real, fake: independent.kernel_distance(real, fake, 50)[i]

    def balls(name):
        return lambda real, fake: independent.precision_recall(real, fake, 3, 5)[name]

    found = {
        "frechet_distance": (FrechetDistance(features), independent.frechet_distance),
        "kernel_distance": (KernelDistance(features, block_size=50), kernel(0)),
        "kernel_distance_error": (KernelDistance(features, block_size=50), kernel(1)),
        "sliced_wasserstein": (
            SlicedWasserstein(features, directions=4),
            lambda real, fake: independent.sliced_wasserstein(real[:120], fake[:90], 4, 0),
        ),
        "duplicate_rate": (
            DuplicateRate(features),
            lambda real, fake: independent.duplicate_rate(real, fake, 0.5),
        ),
    }
    for name in ("precision", "recall", "density", "coverage"):
        found[name] = (PrecisionRecall(features), balls(name))
    return found


def relative(value, expected):
    """The difference of two scores over the expected one, or itself where that is 0."""
    return float(abs(value - expected) / (abs(expected) or 1))


def score(metric, name, real, fake):
    """One score of a metric that sees the images in uneven pieces."""
    metric.reset_state()
    for start in range(0, max(len(real), len(fake)), 37):
        pieces = (each[start : start + 37] for each in (real, fake))
        metric.update_state(*(piece if len(piece) else None for piece in pieces))
    result = metric.result()
    return result[name] if isinstance(result, dict) else result


def compare():
    """The largest difference of each score over the trials, as pixels and as features."""
    model = network()
    differences = {}
    for seed in range(TRIALS):
        real, fake = images(seed)
        for kind, features in (("pixels", "pixels"), ("network", model)):
            seen = real, fake
            if kind == "network":
                seen = [model.predict(each, verbose=0) for each in seen]
            seen = [each.reshape(len(each), -1).astype("float64") for each in seen]
            for name, (metric, check) in checks(features).items():
                given = (real[:120], fake[:90]) if name == "sliced_wasserstein" else (real, fake)
                expected = check(*seen)
                difference = relative(score(metric, name, *given), expected)
                key = f"{name}, {kind}"
                differences[key] = max(difference, differences.get(key, 0.0))
    return differences | similarity()


def similarity():
    """Of MS-SSIM, with the number of scales that each size of images has."""
    differences = {}
    for side, scales in ((8, 1), (28, 2), (64, 3), (88, 4), (176, 5)):
        _, fake = images(0, side)
        fake = fake[:20]
        metric = MultiScaleSimilarity()
        found = score(metric, "multi_scale_similarity", fake, fake)
        assert metric.protocol["scales"] == scales
        key = f"multi_scale_similarity, {side} pixels"
        differences[key] = relative(found, independent.multi_scale_similarity(fake))
        if keras.backend.backend() == "tensorflow" and side >= 11:
            differences[f"{key}, tf.image"] = relative(found, of_tensorflow(fake, scales))
    return differences


def of_tensorflow(images, scales):
    """TensorFlow's own, in float32, with the weights of the first scales."""
    import tensorflow

    from kgan.metrics.multi_scale_similarity import WEIGHTS

    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    pairs = (tensorflow.constant(images[start::2] + 1) for start in (0, 1))  # black is 0
    found = tensorflow.image.ssim_multiscale(*pairs, max_val=2.0, power_factors=weights)
    return float(np.mean(found))


def main():
    found = compare()
    for name, difference in found.items():
        print(f"{name:45} {difference:.1e}")
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    results[keras.backend.backend()] = {
        "keras": keras.__version__,
        "trials": TRIALS,
        "largest_relative_difference": {name: float(f"{x:.3g}") for name, x in found.items()},
    }
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=2) + "\n")
    print(f"{RESULTS.relative_to(ROOT)}: {keras.backend.backend()}")


if __name__ == "__main__":
    main()
