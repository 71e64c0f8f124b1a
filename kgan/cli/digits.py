"""The main job on real data, from nothing to a proven file: what `kgan demo` runs."""

import time
from pathlib import Path

import keras
import numpy as np

from kgan import callbacks, data, networks, penalties
from kgan.images import save_grid
from kgan.models import GAN
from kgan.utils.optional import require


def train_digits(epochs, seed):
    """Returns a GAN trained on scikit-learn's handwritten digits."""
    keras.utils.set_random_seed(seed)
    images, _ = data.digits()
    gan = GAN(
        networks.mlp_generator(image_shape=(8, 8, 1), latent_dim=64),
        networks.mlp_discriminator(image_shape=(8, 8, 1)),
        seed=seed,
    )
    gan.compile(penalties=[penalties.R1(1.0)], ema=0.999)
    gan.fit(images, batch_size=64, epochs=epochs, verbose=0, callbacks=[callbacks.ProgressBar()])
    return gan


def recognition(samples, confidence=0.9):
    """What an independent classifier, trained on the real digits alone, makes of samples.

    Args:
        samples: images `(count, 8, 8, 1)` in [-1, 1].
        confidence: the probability from which on a sample counts as recognised.

    Returns:
        A dictionary: `share` of the samples that are recognised, `digits`, how many of each digit
        are among these, and the classifier's `accuracy` and `real_share` on real digits that it
        has not seen.
    """
    selection = require("sklearn.model_selection", "data", "kgan demo")
    neural = require("sklearn.neural_network", "data", "kgan demo")
    images, labels = data.digits()
    flat = images.reshape(len(images), -1)
    seen, unseen, seen_labels, unseen_labels = selection.train_test_split(
        flat, labels, test_size=0.25, random_state=0
    )
    classifier = neural.MLPClassifier((128,), max_iter=300, random_state=0).fit(seen, seen_labels)

    def recognised(images):
        probabilities = classifier.predict_proba(images.reshape(len(images), -1))
        return probabilities.argmax(1)[probabilities.max(1) > confidence]

    found = recognised(samples)
    return {
        "share": len(found) / len(samples),
        "digits": np.bincount(found, minlength=10).tolist(),
        "accuracy": classifier.score(unseen, unseen_labels),
        "real_share": len(recognised(unseen)) / len(unseen),
    }


def run(folder, epochs, seed, say):
    """Trains, saves, draws, exports and verifies; says each result as it comes.

    Args:
        folder: where `gan.keras`, `samples.png`, `generator.onnx` and its report go.
        epochs: passes over the digits.
        seed: of the weights, the latents and the order of the data.
        say: called with each line of text.

    Raises:
        kgan.export.ExportError: if the exported generator does not give the same images.
    """
    from kgan.export import verify

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    say(f"Training on 1,797 handwritten digits (Keras on {keras.backend.backend()})")
    gan = train_digits(epochs, seed)
    gan.save(folder / "gan.keras")
    save_grid(folder / "samples.png", gan.generate(100, seed=seed), columns=20)
    say(f"Trained in {time.perf_counter() - start:.0f} s: {folder}/gan.keras, samples.png")

    found = recognition(gan.generate(1000, seed=seed))
    present = sum(count > 0 for count in found["digits"])
    say(
        f"A classifier recognises {found['share']:.0%} of 1,000 samples with confidence > 0.9 "
        f"({found['real_share']:.0%} of real digits it has not seen), {present} of 10 digits among "
        "them"
    )

    say("Exporting the generator to ONNX and comparing it with Keras")
    report = gan.export(folder / "generator.onnx")
    say(str(report))
    verify(folder / "generator.onnx")
    say(f"Verified once more from the report: {folder}/generator.onnx")
