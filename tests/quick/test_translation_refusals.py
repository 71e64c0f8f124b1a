"""What translators cannot be trained on, their schedule and their order."""

import keras
import numpy as np
import pytest
from factory import cyclegan, pix2pix

import kgan


def smooth(count, seed=0):
    """Colour images that a network of a few filters can tell apart."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 2, 8)[:, None] + np.linspace(0, 2, 8)
    phases = rng.uniform(0, 2 * np.pi, (count, 1, 1, 3))
    return np.sin(rows[..., None] + phases).astype("float32")


A, B = smooth(12), smooth(9, seed=1) / 2
GREY = A.mean(-1, keepdims=True)


@pytest.fixture(autouse=True)
def _float32():
    yield
    keras.config.set_dtype_policy("float32")


def test_each_domain_has_an_order_of_its_own():
    gan = cyclegan()
    batches = kgan.training.data_order.Batches(gan, (np.arange(12), np.arange(9)), 4)
    a, b = (np.concatenate(side) for side in zip(*(batches[i] for i in range(3)), strict=True))
    assert sorted(a) == list(range(12))
    assert sorted(set(b)) == list(range(9))
    assert a[:9].tolist() != b[:9].tolist()


def test_a_rate_that_falls_in_the_second_half():
    rate = kgan.schedules.LinearDecay(0.2, 10)
    rates = [float(rate(step)) for step in range(12)]
    np.testing.assert_allclose(rates, [0.2] * 6 + [0.16, 0.12, 0.08, 0.04, 0, 0], atol=1e-7)
    again = kgan.schedules.LinearDecay.from_config(rate.get_config())
    assert float(again(7)) == pytest.approx(0.12)
    with pytest.raises(ValueError, match=r"positive.*Received: steps=0"):
        kgan.schedules.LinearDecay(0.2, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pix2pix().fit(A), r"two kinds of images: fit\(inputs, targets\).*Received: one"),
        (lambda: cyclegan().fit(A), r"two kinds of images: fit\(images_a.*Received: one"),
        (lambda: pix2pix().fit(A, GREY[:5]), r"its target.*Received: 12 inputs and 5 targets"),
        (lambda: pix2pix().fit(A, A), r"generator makes.*Received: shape \(12, 8, 8, 3\)"),
        (lambda: pix2pix().fit(A * 100, GREY), r"\[-1, 1\].*Received: range"),
        (lambda: cyclegan().translate(A, "cd"), r"from A to B.*Received: direction='cd'"),
        (lambda: cyclegan().translate(GREY), r"generator takes.*Received: shape \(12, 8, 8, 1\)"),
        (lambda: cyclegan(channels=(3, 1)), r"identity_weight=0.*Received: A"),
        (lambda: cyclegan(pool_size=3).fit(A, B, batch_size=4), r"hold.*batch of 4, size=3"),
        (
            lambda: pix2pix().fit(A, GREY, callbacks=[kgan.callbacks.SampleGrid("none")]),
            r"use TranslationGrid.*Received: a Pix2Pix",
        ),
        (lambda: pix2pix(l1_weight=-1), r"at least 0.*Received: l1_weight=-1"),
        (
            lambda: pix2pix(jitter=kgan.layers.jitter((4, 6))),
            r"jitter\(\(8, 8\)\).*Received: jitter from \(None, 8, 8, 4\) to \(None, 4, 6, 4\)",
        ),
        (lambda: cyclegan(jitter=kgan.layers.jitter((4, 6))), r"jitter\(\(8, 8\)\).*Received"),
        (
            lambda: kgan.CycleGAN(*(cyclegan().generator_ab,) * 2, *cyclegan().discriminators),
            r"build one for each.*Received: the same network as generator_ab and generator_ba",
        ),
        (
            lambda: kgan.CycleGAN(*cyclegan().generators, *(cyclegan().discriminator_a,) * 2),
            r"build one for each.*as discriminator_a and discriminator_b",
        ),
        (
            lambda: kgan.Pix2Pix(
                kgan.networks.unet_generator((8, 8, 3), width=4),
                kgan.networks.patch_discriminator((8, 8, 3), width=4, receptive_field=16),
            ),
            r"(?s)input and target.*Received: generator",
        ),
    ],
)
def test_what_cannot_be_trained_on_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
