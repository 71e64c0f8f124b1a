"""Pix2Pix and CycleGAN: what they learn from, what they give, and what they refuse."""

import keras
import numpy as np
import pytest
from factory import cyclegan, pix2pix
from keras import ops
from test_checkpoint import Stop, assert_equal

import kgan
from kgan.layers import ImagePool
from kgan.penalties import R1, GradientPenalty


def smooth(count, seed=0):
    """Colour images that a network of a few filters can tell apart."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 2, 8)[:, None] + np.linspace(0, 2, 8)
    phases = rng.uniform(0, 2 * np.pi, (count, 1, 1, 3))
    return np.sin(rows[..., None] + phases).astype("float32")


A, B = smooth(12), smooth(9, seed=1) / 2
GREY = A.mean(-1, keepdims=True)
QUIET = {"verbose": 0, "batch_size": 4}


@pytest.fixture(autouse=True)
def _float32():
    yield
    keras.config.set_dtype_policy("float32")


def numbers(values):
    return {name: float(value) for name, value in values.items()}


def test_the_terms_of_pix2pix_are_those_of_the_paper():
    gan = pix2pix(l1_weight=7.0)
    found = numbers(gan.evaluate(A, GREY, batch_size=12, verbose=0, return_dict=True))
    made = gan.translate(A)
    assert found["generator_l1"] == pytest.approx(7 * np.abs(GREY - made).mean(), rel=1e-4)
    logits = [
        ops.convert_to_numpy(gan.discriminator(np.concatenate([A, images], axis=-1)))
        for images in (GREY, made)
    ]
    real, fake = (
        np.log1p(np.exp(sign * x)).mean() for sign, x in zip((-1, 1), logits, strict=True)
    )
    assert found["discriminator_loss"] == pytest.approx(real + fake, rel=1e-4)
    fooled = np.log1p(np.exp(-logits[1])).mean()
    assert found["generator_adversarial"] == pytest.approx(fooled, rel=1e-4)


def test_the_terms_of_cyclegan_are_those_of_the_paper():
    gan = cyclegan(cycle_weight=3.0, identity_weight=0.25)
    b = smooth(12, seed=1)
    found = numbers(gan.evaluate(A, b, batch_size=12, verbose=0, return_dict=True))
    to_b, to_a = (lambda x, way=way: gan.translate(x, way) for way in ("ab", "ba"))
    for name, value in {
        "cycle_a": 3 * np.abs(to_a(to_b(A)) - A).mean(),
        "cycle_b": 3 * np.abs(to_b(to_a(b)) - b).mean(),
        "identity_a": 0.75 * np.abs(to_a(A) - A).mean(),
        "identity_b": 0.75 * np.abs(to_b(b) - b).mean(),
        "adversarial_a": np.square(judged(gan.discriminator_a, to_a(b)) - 1).mean() / 2,
        "adversarial_b": np.square(judged(gan.discriminator_b, to_b(A)) - 1).mean() / 2,
    }.items():
        assert found[f"generator_{name}"] == pytest.approx(value, rel=1e-4), name


def judged(discriminator, images):
    return ops.convert_to_numpy(discriminator(images))


def test_pix2pix_learns_the_translation():
    fast = {name: keras.optimizers.Adam(1e-2) for name in ("generator", "discriminator")}
    gan = pix2pix(compiled={f"{name}_optimizer": adam for name, adam in fast.items()})
    before = np.abs(gan.translate(A) - GREY).mean()
    gan.fit(A[:3], GREY[:3], verbose=0)
    assert int(gan.optimizer.generator.iterations) == 3  # one by one, as in the paper
    gan.fit(A, GREY, epochs=30, **QUIET)
    assert np.abs(gan.translate(A) - GREY).mean() < before / 2


def test_cyclegan_trains_all_four_networks():
    gan = cyclegan()
    networks = (*gan.generators, *gan.discriminators)
    before = [network.get_weights()[0] for network in networks]
    history = gan.fit(A, B, epochs=2, validation_data=(A[:3], B[:5]), **QUIET).history
    for network, old in zip(networks, before, strict=True):
        assert not np.array_equal(network.get_weights()[0], old)
    assert int(gan.optimizer.generator.iterations) == 6  # as long as the larger domain
    assert np.isfinite(list(history.values())).all()
    assert "val_generator_cycle_a" in history


@pytest.mark.parametrize(
    ("make", "arguments", "compiled"),
    [
        (pix2pix, {}, {"loss": "wasserstein", "penalties": [GradientPenalty()], "ema": 0.9}),
        (pix2pix, {"channels": (1, 3)}, {"loss": "relativistic", "discriminator_steps": 2}),
        (cyclegan, {}, {"loss": "hinge", "penalties": [R1(1.0, interval=2)], "ema": 0.9}),
        (
            cyclegan,
            {"channels": (3, 1), "identity_weight": 0, "pool_size": 0},
            {"loss": "relativistic", "augmentations": [kgan.augmentations.DiffAugment()]},
        ),
    ],
)
def test_other_games_in_half_precision(make, arguments, compiled):
    keras.config.set_dtype_policy("mixed_bfloat16")
    gan = make(compiled=compiled, **arguments)
    channels = arguments.get("channels", (3, 1) if make is pix2pix else (3, 3))
    first, second = (A[..., :each] for each in channels)
    history = gan.fit(first, second, verbose=0, batch_size=2).history
    assert np.isfinite(list(history.values())).all()
    assert gan.translate(first).shape == second.shape


@pytest.mark.parametrize("make", [pix2pix, cyclegan])
def test_a_stopped_run_ends_as_one_that_never_stopped(make, tmp_path):
    targets = GREY if make is pix2pix else B

    def new():
        return make(jitter=kgan.layers.jitter((8, 8), (10, 11), seed=3), compiled={"ema": 0.9})

    options = {"epochs": 3, **QUIET}
    never = new()
    never.fit(A, targets, checkpoint=tmp_path / "never.keras", **options)
    stopped = new()
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(
            A, targets, checkpoint=tmp_path / "stopped.keras", callbacks=[Stop(2)], **options
        )
    again = new()
    again.fit(A, targets, checkpoint=tmp_path / "stopped.keras", **options)
    assert_equal(never, again)
    if make is cyclegan:
        assert int(again.pool_a.count) == 6
        assert np.ptp(ops.convert_to_numpy(again.pool_a.images)) > 0
    loaded = keras.saving.load_model(tmp_path / "stopped.keras")
    assert_equal(loaded, again)


def test_the_pool_keeps_what_it_gets_and_gives_half_of_it_back():
    pool, seed = ImagePool(6), keras.random.SeedGenerator(1)
    pool.build((None, 1, 1, 1))
    swaps, kept = 0, []
    for step in range(60):
        new = np.arange(4 * step, 4 * step + 4, dtype="float32") + 1
        given = ops.convert_to_numpy(pool(new.reshape(4, 1, 1, 1), seed=seed)).ravel()
        before, kept = kept, [x for x in ops.convert_to_numpy(pool.images).ravel() if x]
        if step == 0:
            assert given.tolist() == kept == new.tolist()
        elif step == 1:  # room for two: the others are passed on
            assert given.tolist() == new.tolist()
            assert kept == [1, 2, 3, 4, 5, 6]
        else:
            # Nothing is lost and nothing is there twice.
            assert sorted([*given, *kept]) == sorted([*before, *new])
            swaps += np.isin(given, before).sum()
    assert 0.4 < swaps / (58 * 4) < 0.6


def test_the_pool_is_what_the_discriminator_sees():
    gan = cyclegan(compiled={"run_eagerly": True})
    gan.fit(A, B, **QUIET)
    past = ops.convert_to_numpy(gan.pool_b.images)
    # The pool holds translations of steps before, so the networks no longer make them exactly.
    now = gan.translate(A)
    gaps = np.abs(past[:, None] - now[None]).mean((2, 3, 4)).min(1)
    assert (gaps > 0).all()
    assert gaps.max() < 0.2


def test_jitter_changes_both_images_of_a_pair_alike():
    gan = pix2pix(channels=(3, 3), jitter=kgan.layers.jitter((8, 8), (12, 14), seed=0))
    pairs = [ops.convert_to_numpy(x) for x in gan.vary((A, A))]
    np.testing.assert_allclose(*pairs, atol=1e-6)
    assert pairs[0].shape == A.shape
    assert np.abs(pairs[0] - A).max() > 0.1
    with pytest.raises(ValueError, match=r"at least the size.*Received: enlarged=\(4, 4\)"):
        kgan.layers.jitter((8, 8), (4, 4))


def test_translations_are_the_same_each_time_and_for_each_image_alone():
    gan = pix2pix()
    gan.fit(A, GREY, **QUIET)  # with dropout
    made = gan.translate(A)
    np.testing.assert_array_equal(made, gan.translate(A))
    np.testing.assert_allclose(made, gan.predict(A, verbose=0), atol=1e-6)
    np.testing.assert_allclose(made[5:6], gan.translate(A[5:6]), atol=1e-5)
    with pytest.raises(TypeError, match=r"one way only.*Received: unknown arguments direction"):
        pix2pix().translate(A[:2], direction="ab")
    with pytest.raises(ValueError, match=r"batch by batch.*Received: a list_iterator"):
        pix2pix().translate(iter([A[:2]]))
    with pytest.raises(TypeError, match=r"translate\(images\).*Received"):
        gan.generate(3)
    with pytest.warns(UserWarning, match=r"seem to lie in \[0, 1\]"):
        gan.translate((A[:2] + 1) / 2)


def test_the_average_translates():
    gan = cyclegan(compiled={"ema": 0.9})
    gan.fit(A, B, **QUIET)
    average = gan.averages[1](B, training=False)
    np.testing.assert_allclose(gan.translate(B, "ba"), ops.convert_to_numpy(average), atol=1e-5)
