"""GANs that make what they are asked for."""

import keras
import numpy as np
import pytest
from factory import WAYS, acgan, conditional
from keras import ops

import kgan

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")
LABELS = np.arange(48) % 3
FIT = {"batch_size": 16, "verbose": 0}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_trains_all_weights_and_listens_to_the_label(way):
    gan = conditional(way, run_eagerly=keras.backend.backend() != "jax")
    before = [np.array(v.numpy()) for v in gan.trainable_variables]
    history = gan.fit(IMAGES, LABELS, epochs=2, **FIT).history
    assert np.isfinite([v for values in history.values() for v in values]).all()
    for old, variable in zip(before, gan.trainable_variables, strict=True):
        assert not np.array_equal(old, variable.numpy()), variable.path
    one, other = (gan.generate(4, labels=label, seed=0) for label in (0, 1))
    assert np.abs(one - other).max() > 1e-6
    logits = [
        ops.convert_to_numpy(gan.judge(IMAGES[:4], (None, np.full(4, label)), training=False))
        for label in (0, 1)
    ]
    assert np.abs(logits[0] - logits[1]).max() > 1e-7


def test_the_classes_are_learned():
    """Images of one value, told by the label alone."""
    values = np.float32([-0.8, 0.0, 0.8])
    images = np.broadcast_to(values[LABELS][:, None, None, None], IMAGES.shape)
    gan = conditional(
        penalties=[kgan.penalties.R1(1.0)],
        generator_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5),
    )
    gan.fit(np.array(images), LABELS, epochs=200, **FIT)
    means = [gan.generate(16, labels=label, seed=0).mean() for label in range(3)]
    np.testing.assert_allclose(means, values, atol=0.25)


@pytest.mark.parametrize("make", [conditional, acgan])
@pytest.mark.parametrize(
    "options",
    [
        {"ema": 0.9, "discriminator_steps": 2},
        {"loss": "wasserstein", "penalties": [kgan.penalties.GradientPenalty()]},
        {"loss": "relativistic", "penalties": [kgan.penalties.R1(1.0), kgan.penalties.R2(1.0)]},
        {"loss": "hinge", "augmentations": [kgan.augmentations.DiffAugment()]},
    ],
    ids=["ema", "wasserstein", "relativistic", "hinge"],
)
def test_games_penalties_and_averages_apply(make, options):
    gan = make(**options)
    history = gan.fit(IMAGES, LABELS, validation_data=(IMAGES, LABELS), **FIT).history
    assert np.isfinite([v for values in history.values() for v in values]).all()


def test_generate_takes_a_class_an_array_or_none():
    gan = conditional()
    np.testing.assert_array_equal(
        gan.generate(3, labels=2, seed=0), gan.generate(3, labels=[2, 2, 2], seed=0)
    )
    np.testing.assert_array_equal(gan.generate(9, seed=5), gan.generate(9, seed=5))
    drawn = gan.draw_labels(300, seed=5)
    assert sorted(set(drawn.tolist())) == [0, 1, 2]
    np.testing.assert_array_equal(
        gan.generate(9, gan.draw_labels(9, seed=5), seed=5), gan.generate(9, seed=5)
    )
    with pytest.raises(ValueError, match=r"\[0, 3\).*Received: labels from 3 to 3"):
        gan.generate(2, labels=3)
    with pytest.raises(ValueError, match=r"\[0, 3\).*Received: labels from 0 to 3"):
        gan.images_of(gan.draw_latents(2), np.array([0, 3]))
    with pytest.raises(ValueError, match="one label for each of the 2 images"):
        gan.generate(2, labels=[0, 1, 2])


def test_the_class_terms_of_acgan_are_cross_entropies():
    gan = acgan(
        generator_optimizer=keras.optimizers.SGD(0.0),
        discriminator_optimizer=keras.optimizers.SGD(0.0),
    )
    logs = gan.test_on_batch(IMAGES, LABELS, return_dict=True)
    _, names = (ops.convert_to_numpy(x) for x in gan.discriminator(IMAGES))
    shares = np.exp(names - names.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    expected = -np.log(shares[np.arange(48), LABELS]).mean()
    assert logs["discriminator_real_class"] == pytest.approx(expected, rel=1e-5)
    assert logs["real_accuracy"] == pytest.approx((names.argmax(1) == LABELS).mean(), abs=1e-6)
    terms = ("adversarial", "real_class", "fake_class")
    total = sum(logs[f"discriminator_{term}"] for term in terms)
    assert logs["discriminator_loss"] == pytest.approx(total, rel=1e-5)
    assert logs["generator_loss"] == pytest.approx(
        logs["generator_adversarial"] + logs["generator_fake_class"], rel=1e-5
    )


def test_acgan_learns_to_name_the_classes():
    images = np.broadcast_to(
        np.float32([-0.8, 0.0, 0.8])[LABELS][:, None, None, None], IMAGES.shape
    )
    gan = acgan(
        penalties=[kgan.penalties.R1(1.0)],
        generator_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5),
    )
    history = gan.fit(np.array(images), LABELS, epochs=200, **FIT).history
    assert history["real_accuracy"][-1] > 0.95
    assert history["fake_accuracy"][-1] > 0.9


def test_labels_in_a_column_are_taken():
    one, other = conditional(), conditional()
    one.fit(IMAGES, LABELS, **FIT)
    other.fit(IMAGES, LABELS[:, None], **FIT)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
