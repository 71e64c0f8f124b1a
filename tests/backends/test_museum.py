"""Saved models of kgan at f9aa851 load, give what they gave, and train on: on every backend."""

from pathlib import Path

import keras
import numpy as np
import pytest

import kgan

MUSEUM = Path(__file__).parents[1] / "museum"
ANSWERS = dict(np.load(MUSEUM / "answers.npz"))
TOLERANCE = 1e-4  # they were computed on PyTorch, and on another processor


def load(name):
    return keras.saving.load_model(MUSEUM / f"{name}.keras")


def generated(name, model):
    pictures = ANSWERS["pictures"]
    match name:
        case "gan":
            return {"gan": model.generate(4, seed=1)}
        case "conditional":
            return {"conditional": model.generate(4, labels=[0, 1, 2, 0], seed=1)}
        case "pix2pix":
            return {"pix2pix": model.translate(pictures)}
        case "cyclegan":
            return {way: model.translate(pictures, direction=way) for way in ("ab", "ba")}


DATA = {
    "gan": (ANSWERS["images"],),
    "conditional": (ANSWERS["images"], ANSWERS["labels"]),
    "pix2pix": (ANSWERS["pictures"], ANSWERS["pictures"][::-1]),
    "cyclegan": (ANSWERS["pictures"], ANSWERS["pictures"][::-1]),
}


@pytest.mark.parametrize("name", DATA)
def test_a_saved_model_gives_what_it_gave_and_trains_on(name):
    model = load(name)
    for answer, made in generated(name, model).items():
        np.testing.assert_allclose(made, ANSWERS[answer], atol=TOLERANCE)
    updates = [int(each.iterations) for each in model.optimizer.optimizers]
    before = [weight.copy() for weight in model.get_weights()]
    history = model.fit(*DATA[name], batch_size=2, epochs=1, verbose=0).history
    assert np.isfinite([history["generator_loss"], history["discriminator_loss"]]).all()
    steps = len(DATA[name][0]) // 2
    assert [int(each.iterations) for each in model.optimizer.optimizers] == [
        count + steps for count in updates
    ]
    after = model.get_weights()
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_what_a_model_was_compiled_with_is_known_again():
    gan = load("gan")
    assert isinstance(gan.game, kgan.losses.Relativistic) and gan.ema == 0.9
    assert [type(each).__name__ for each in gan.penalties] == ["R1", "R2"]
    assert load("conditional").class_names == ["a", "b", "c"]
