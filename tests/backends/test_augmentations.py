"""Augmentations are what they say, differentiable, and seen by both players; packing too."""

import keras
import numpy as np
import pytest
from factory import mlp_gan
from keras import ops

import kgan
from kgan import backend
from kgan.augmentations import DiffAugment, InstanceNoise

SHAPE = (200, 16, 24, 3)


def apply(augmentation, images):
    seed = keras.random.SeedGenerator(0)
    return ops.convert_to_numpy(augmentation(ops.convert_to_tensor(images), seed))


def test_translation_moves_by_up_to_an_eighth_and_fills_with_zero():
    images = np.zeros(SHAPE, "float32")
    images[:, 8, 12] = 1
    moved = apply(DiffAugment("translation"), images)
    where = np.argwhere(moved[..., 0] == 1)
    assert len(where) == 200  # the point is still in every image, once
    rows, columns = where[:, 1] - 8, where[:, 2] - 12
    assert set(rows) == set(range(-2, 3))
    assert set(columns) == set(range(-3, 4))
    ones = apply(DiffAugment("translation"), np.ones(SHAPE, "float32"))
    assert set(np.unique(ones)) == {0, 1}
    np.testing.assert_array_equal(ones[:, 0, 12, 0] == 0, rows > 0)


def test_cutout_makes_one_hole_of_half_the_size():
    holed = apply(DiffAugment("cutout"), np.ones(SHAPE, "float32"))
    assert set(np.unique(holed)) == {0, 1}
    for image in holed[..., 0]:
        rows, columns = np.nonzero(image == 0)
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert 4 <= height <= 8
        assert 6 <= width <= 12
        assert (image == 0).sum() == height * width
    share = (holed == 0).mean()
    assert 0.1 < share < 0.25


def test_color_changes_brightness_saturation_and_contrast_of_each_image():
    rng = np.random.default_rng(0)
    images = np.repeat(rng.uniform(-1, 1, (1, 16, 24, 3)), 200, axis=0).astype("float32")
    changed = apply(DiffAugment("color"), images)
    shift = changed.mean((1, 2, 3)) - images.mean()
    assert shift.min() < -0.4
    assert shift.max() > 0.4
    assert abs(shift).max() <= 0.5001
    grey = changed.mean(3)
    contrast = grey.std((1, 2)) / images[0].mean(2).std()
    assert 0.49 < contrast.min() < 0.6
    assert 1.4 < contrast.max() < 1.51


def test_instance_noise_has_its_deviation():
    noise = apply(InstanceNoise(0.3), np.zeros(SHAPE, "float32"))
    assert noise.std() == pytest.approx(0.3, rel=0.01)
    assert noise.mean() == pytest.approx(0, abs=0.01)


def test_gradients_pass_through_every_augmentation():
    images = np.random.default_rng(0).uniform(-1, 1, SHAPE).astype("float32")
    gan = mlp_gan()
    for policy in ("color", "translation", "cutout"):
        augmentation = DiffAugment(policy)

        def total(x, augmentation=augmentation):
            return ops.sum(augmentation(x, keras.random.SeedGenerator(0)))

        out, pull = backend.vjp(gan, total, inputs=(ops.convert_to_tensor(images),))
        _, (gradient,) = pull(ops.ones_like(out))
        # Each of these is linear in the image but for its constants: f(x) - f(0) = gradient . x
        constant = apply(augmentation, np.zeros(SHAPE, "float32")).sum()
        expected = apply(augmentation, images).sum() - constant
        got = float((ops.convert_to_numpy(gradient).astype("float64") * images).sum())
        assert got == pytest.approx(expected, rel=1e-3, abs=0.5)


def test_both_players_see_augmented_images_and_inference_does_not(images):
    seen = []

    class Spy:
        def __call__(self, x, seed):
            seen.append(x.shape)
            return x * 0.0

    gan = mlp_gan(augmentations=[Spy()], run_eagerly=True)
    logs = gan.train_on_batch(images, return_dict=True)
    assert logs["real_probability"] == pytest.approx(logs["fake_probability"])
    assert len(seen) == 2 * 3  # real, fake and the generator's turn, in the dry run and in the step
    seen.clear()
    logs = gan.evaluate(images, verbose=0, return_dict=True)
    assert not seen
    assert logs["real_probability"] != pytest.approx(logs["fake_probability"])


def test_training_with_everything_is_saved_and_goes_on(images, tmp_path):
    gan = mlp_gan(
        loss="relativistic",
        augmentations=[DiffAugment(), InstanceNoise(0.05)],
        penalties=[kgan.penalties.R1(1.0, interval=2), kgan.penalties.GradientPenalty()],
        discriminator_steps=2,
        ema=0.9,
    )
    gan.fit(images, batch_size=16, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert [a.get_config() for a in loaded.augmentations] == [
        {"policy": ["color", "translation", "cutout"]},
        {"stddev": 0.05},
    ]
    options = {"batch_size": 16, "epochs": 2, "shuffle": False, "verbose": 0}
    a, b = (g.fit(images, **options).history for g in (gan, loaded))
    assert a == b
    np.testing.assert_array_equal(gan.generate(4, seed=0), loaded.generate(4, seed=0))


def packed_gan(packing, channels):
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), 4, 8),
        kgan.networks.mlp_discriminator((8, 8, channels), 8),
        packing=packing,
    )
    gan.compile(penalties=[kgan.penalties.R1(1.0)])
    return gan


def test_packing_puts_different_samples_side_by_side(images, tmp_path):
    gan = packed_gan(3, 3)
    packs = gan.to_judge(ops.convert_to_tensor(images[:10]), None, training=False)
    packs = ops.convert_to_numpy(packs)
    assert packs.shape == (3, 8, 8, 3)
    for i in range(9):
        np.testing.assert_array_equal(packs[i // 3, ..., i % 3], images[i, ..., 0])
    history = gan.fit(images[:95], batch_size=31, verbose=0).history  # ends with a batch of 2
    assert np.isfinite(list(history.values())).all()
    gan.save(tmp_path / "gan.keras")
    assert keras.saving.load_model(tmp_path / "gan.keras").packing == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DiffAugment("blur"), "Received: policy='blur'"),
        (lambda: DiffAugment(()), r"Received: policy=\(\)"),
        (lambda: InstanceNoise(-1), "Received: stddev=-1"),
        (lambda: mlp_gan(augmentations=["color"]), "Received: 'color'"),
        (lambda: packed_gan(2, 3), "with 2 times the channels.*packing=2"),
        (lambda: packed_gan(0, 1), "Received: packing=0"),
        (lambda: mlp_gan(discriminator_steps=0), "Received: discriminator_steps=0"),
        (lambda: mlp_gan(ema=1.0), "Received: ema=1.0"),
    ],
)
def test_what_makes_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()
