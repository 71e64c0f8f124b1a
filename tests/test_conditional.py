"""GANs that make what they are asked for."""

import json

import keras
import numpy as np
import onnxruntime
import pytest
from keras import ops

import kgan
from kgan import networks

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")
LABELS = np.arange(48) % 3
FIT = {"batch_size": 16, "verbose": 0}
WAYS = {
    "concatenation": ("mlp", {}, {}),
    "plane": ("dcgan", {}, {}),
    "conditional batch norm": ("dcgan", {"conditioning": "conditional_batch_norm"}, {}),
    "projection": ("dcgan", {}, {"conditioning": "projection"}),
    "resnet": ("resnet", {}, {}),
}


def conditional(way="concatenation", seed=0, **compile_arguments):
    keras.utils.set_random_seed(0)
    family, of_generator, of_discriminator = WAYS[way]
    gan = kgan.ConditionalGAN(
        getattr(networks, f"{family}_generator")((8, 8, 1), 4, 8, num_classes=3, **of_generator),
        getattr(networks, f"{family}_discriminator")(
            (8, 8, 1), 8, num_classes=3, **of_discriminator
        ),
        num_classes=3,
        seed=seed,
    )
    gan.compile(**compile_arguments)
    return gan


def acgan(seed=0, **compile_arguments):
    keras.utils.set_random_seed(0)
    gan = kgan.ACGAN(
        networks.mlp_generator((8, 8, 1), 4, 8, num_classes=3),
        networks.mlp_discriminator((8, 8, 1), 8, num_classes=3, conditioning="auxiliary"),
        num_classes=3,
        class_names=["a", "b", "c"],
        seed=seed,
    )
    gan.compile(**compile_arguments)
    return gan


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


@pytest.mark.parametrize("make", [conditional, acgan])
def test_half_precision(make):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = make()
    finally:
        keras.config.set_dtype_policy("float32")
    history = gan.fit(IMAGES, LABELS, **FIT).history
    assert {"generator_skipped_updates", "discriminator_skipped_updates"} <= set(history)
    assert gan.generate(2, labels=1).dtype == np.float32


@pytest.mark.parametrize("make", [conditional, acgan])
def test_saving_and_resuming_are_bit_for_bit(make, tmp_path):
    never, stopped = make(ema=0.9), make(ema=0.9)
    never.fit(IMAGES, LABELS, epochs=3, **FIT)
    path = tmp_path / "checkpoint.keras"
    stopped.fit(IMAGES, LABELS, epochs=1, checkpoint=path, **FIT)
    resumed = make(ema=0.9)
    resumed.fit(IMAGES, LABELS, epochs=3, checkpoint=path, **FIT)
    for a, b in zip(never.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    loaded = keras.saving.load_model(path)
    assert type(loaded) is type(never)
    assert (loaded.num_classes, loaded.class_names) == (never.num_classes, never.class_names)
    labels = [2, 0, 1]
    np.testing.assert_array_equal(
        loaded.generate(3, labels, seed=1), never.generate(3, labels, seed=1)
    )


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


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"fit\(images, labels\). Received: no labels"),
        (LABELS.astype("float32"), "must be integers.*Received: dtype float32"),
        (np.eye(3, dtype="int32")[LABELS], r"argmax\(axis=1\).*Received: labels of shape"),
        (
            np.eye(3, dtype="float32")[LABELS],
            r"argmax\(axis=1\) if they are one-hot.*shape \(48, 3\)",
        ),
        ([[0, 1], [2]], r"Give one array.*Received: \[\[0, 1\], \[2\]\]"),
        (np.array(["a", "b", "c"])[LABELS], "searchsorted.*Received: dtype"),
        (LABELS + 1, r"\[0, 3\).*Received: labels from 1 to 3"),
        (LABELS - 1, r"\[0, 3\).*Received: labels from -1 to 1"),
        (LABELS[:-1], "one label for each of the 48 images"),
    ],
    ids=[
        "none",
        "floats",
        "one-hot",
        "one-hot floats",
        "ragged",
        "strings",
        "too great",
        "negative",
        "few",
    ],
)
def test_labels_that_cannot_be_trained_on(labels, message):
    gan = conditional()
    with pytest.raises(ValueError, match=message):
        gan.fit(IMAGES, labels, verbose=0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            np.eye(3)[2],
            r"use labels.argmax\(\) if .*one-hot.*Received: dtype float64, shape \(3,\)",
        ),
        (np.eye(3, dtype=int)[2], r"with labels.argmax\(\).*Received: labels of shape \(3,\)"),
        (np.eye(3)[LABELS[:4]], r"labels.argmax\(axis=1\).*float64, shape \(4, 3\)"),
        (2.0, r"an integer for samples of one class.*Received: label=2.0"),
        (True, r"an integer for samples of one class.*Received: label=True"),
        ("2", r"an integer for samples of one class.*Received: label='2'"),
    ],
    ids=["one-hot class", "integers", "one-hot classes", "float", "bool", "text"],
)
def test_labels_that_cannot_be_generated(labels, message):
    with pytest.raises(ValueError, match=message):
        conditional().generate(4, labels=labels)


@pytest.mark.parametrize("kind", [kgan.ConditionalGAN, kgan.ACGAN])
def test_the_number_of_classes_is_asked_for(kind):
    gan = conditional()
    with pytest.raises(ValueError, match=r"num_classes=10 for.*Received: num_classes=None"):
        kind(gan.generator, gan.discriminator)


def test_labels_in_a_column_are_taken():
    one, other = conditional(), conditional()
    one.fit(IMAGES, LABELS, **FIT)
    other.fit(IMAGES, LABELS[:, None], **FIT)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_networks_that_do_not_fit():
    plain = networks.mlp_generator((8, 8, 1), 4, 8), networks.mlp_discriminator((8, 8, 1), 8)
    told = (
        networks.mlp_generator((8, 8, 1), 4, 8, num_classes=3),
        networks.mlp_discriminator((8, 8, 1), 8, num_classes=3),
    )
    with pytest.raises(ValueError, match=r"label \(build it with num_classes=\)\. Received"):
        kgan.ConditionalGAN(*plain, num_classes=3)
    with pytest.raises(ValueError, match=r"ConditionalGAN takes.*Received"):
        kgan.GAN(*told)
    with pytest.raises(ValueError, match=r"\[logit, class_logits\].*Received"):
        kgan.ACGAN(told[0], plain[1], num_classes=3)
    with pytest.raises(ValueError, match=r"another number of classes.*Received.*for 3 classes"):
        kgan.ConditionalGAN(*told, num_classes=5)
    with pytest.raises(ValueError, match=r"each of the 3 classes once.*Received: class_names="):
        kgan.ConditionalGAN(*told, num_classes=3, class_names=["a", "b"])
    with pytest.raises(ValueError, match=r"Received: conditioning='film'"):
        networks.dcgan_generator((8, 8, 1), num_classes=3, conditioning="film")
    with pytest.raises(ValueError, match="Received: num_classes=0"):
        networks.dcgan_generator((8, 8, 1), num_classes=0)


@pytest.mark.parametrize("name", ["plane", "conditional batch norm", "acgan"])
def test_the_artefact_equals_keras_for_every_label(name, tmp_path, capsys):
    options = {"generator_optimizer": keras.optimizers.Adam(1e-2), "ema": 0.5}
    gan = acgan(**options) if name == "acgan" else conditional(name, **options)
    gan.fit(IMAGES, LABELS, epochs=5, **FIT)
    (artefact,) = gan.export(tmp_path / "generator.onnx").artefacts
    assert 0 < artefact.max_abs_error <= 1e-5
    with capsys.disabled():
        print(f"\n{name}: largest difference from Keras {artefact.max_abs_error:.1e}")
    with np.load(tmp_path / "generator.onnx.samples.npz") as samples:
        tried = np.concatenate([samples[k] for k in samples.files if k.endswith("inputs.label")])
    assert set(tried.tolist()) == {0, 1, 2}

    session = onnxruntime.InferenceSession(tmp_path / "generator.onnx")
    assert [x.name for x in session.get_inputs()] == ["latent", "label"]
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["num_classes"]) == 3
    if gan.class_names:
        assert json.loads(properties["class_names"]) == gan.class_names
    latents, labels = gan.draw_latents(5, seed=3), np.arange(3, dtype="int32")
    images = [
        session.run(["image"], {"latent": latents, "label": np.repeat(label, 5)})[0]
        for label in labels
    ]
    expected = [gan.generate(5, label, seed=3) for label in labels]
    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3  # a file that ignored the label would fail
