"""Measures in `compile`, `evaluate`, `fit` and saved files."""

import json

import keras
import numpy as np
import pytest
from factory import OwnGAN, conditional, cyclegan, dropout_gan, mlp_gan, pix2pix

import kgan
from kgan.metrics import (
    FrechetDistance,
    KernelDistance,
    ModeCoverage,
    PrecisionRecall,
    SlicedWasserstein,
)
from kgan.metrics.hashes import digest

# Small sets, of which the Fréchet distance warns: see tests/quick/test_metrics_degeneracy.py.
pytestmark = pytest.mark.filterwarnings("ignore:This score says little")
NOT_MEASURED = "ignore:The metrics given to compile"


def value(metric, real, fake):
    metric.update_state(real, fake)
    return metric.result()


def small_network(seed=1):
    """Features of images 8x8, whose weights follow from a seed."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(
                5, "tanh", kernel_initializer=keras.initializers.RandomNormal(0, 0.3, seed)
            ),
        ],
        name="small",
    )


def test_evaluate_measures_what_generate_gives(images):
    """As many images as there are real ones, of latents from seed 0."""
    gan = mlp_gan(metrics=[FrechetDistance(), PrecisionRecall()])
    gan.evaluate(images, batch_size=10, steps=3, verbose=0)
    part = gan.scores["recall"]["protocol"]["reference_hash"]
    assert gan.scores["recall"]["protocol"]["real_images"] == 30
    logs = gan.evaluate(images, batch_size=20, return_dict=True, verbose=0)
    fakes = gan.generate(len(images), seed=0)
    assert logs["frechet_distance"] == pytest.approx(value(FrechetDistance(), images, fakes))
    for name, expected in value(PrecisionRecall(), images, fakes).items():
        assert logs[name] == pytest.approx(expected)
    assert "generator_loss" in logs
    assert gan.evaluate(images, batch_size=20, verbose=0)[-1] == logs["coverage"]
    protocol = gan.scores["recall"]["protocol"]
    assert protocol["real_images"] == protocol["generated_images"] == len(images)
    assert (protocol["k"], protocol["latent_seed"]) == (3, 0)
    assert protocol["generator"] == "last weights" and protocol["reference_hash"] != part
    assert json.loads(json.dumps(gan.scores)) == gan.scores


@pytest.mark.filterwarnings(NOT_MEASURED)
def test_the_average_is_measured_where_one_is_kept(images):
    gan = mlp_gan(metrics=[FrechetDistance()], ema=0.9)
    gan.fit(images, batch_size=16, epochs=1, verbose=0)
    logs = gan.evaluate(images, return_dict=True, verbose=0)
    latents = gan.draw_latents(len(images), seed=0)
    average, last = (
        gan.images_of(latents, network=network) for network in (gan.averages[0], gan.generator)
    )
    score = value(FrechetDistance(), images, average)
    assert logs["frechet_distance"] == pytest.approx(score)
    assert value(FrechetDistance(), images, last) != pytest.approx(score)
    assert gan.scores["frechet_distance"]["protocol"]["generator"] == "moving average, decay 0.9"


def test_checkpoints_and_early_stopping_follow_a_measure(images, tmp_path):
    gan = mlp_gan(metrics=[FrechetDistance()])
    monitor = {"monitor": "val_frechet_distance", "mode": "min"}
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True, **monitor)
    # It counts as better only if it falls by more than it can, so the second epoch is the last.
    stop = keras.callbacks.EarlyStopping(min_delta=1e6, patience=1, **monitor)
    options = {"batch_size": 16, "epochs": 5, "verbose": 0, "validation_data": images[:40]}
    history = gan.fit(images, callbacks=[best, stop], **options).history
    assert len(history["val_frechet_distance"]) == 2
    assert "frechet_distance" not in history
    loaded = keras.saving.load_model(tmp_path / "best.keras")
    logs = loaded.evaluate(images[:40], return_dict=True, verbose=0)
    assert logs["frechet_distance"] == pytest.approx(min(history["val_frechet_distance"]), rel=1e-5)


def test_measuring_changes_nothing_in_training(images):
    weights = []
    for metrics in ([], [FrechetDistance(small_network())]):
        gan = dropout_gan(unseeded=True, metrics=metrics)
        gan.fit(images, batch_size=16, epochs=2, verbose=0, validation_data=images[:32])
        weights.append(np.concatenate([weight.ravel() for weight in gan.get_weights()]))
    np.testing.assert_array_equal(*weights)


class Stream(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.images[index * 32 : (index + 1) * 32]


def framework_stream(images):
    """The backend's own kind of stream, with labels that are to be ignored."""
    labels = np.zeros(len(images), "int32")
    if keras.backend.backend() == "torch":
        import torch

        data = torch.utils.data.TensorDataset(*map(torch.from_numpy, (images, labels)))
        return torch.utils.data.DataLoader(data, batch_size=32)
    import tensorflow

    return tensorflow.data.Dataset.from_tensor_slices((images, labels)).batch(32)


@pytest.mark.parametrize("make", [Stream, framework_stream])
def test_streams_are_gone_over_twice(images, make):
    gan = mlp_gan(metrics=[FrechetDistance()])
    logs = gan.evaluate(make(images), return_dict=True, verbose=0)
    reference = gan.scores["frechet_distance"]["protocol"]["reference_hash"]
    whole = gan.evaluate(images, return_dict=True, verbose=0)
    assert gan.scores["frechet_distance"]["protocol"]["reference_hash"] == reference
    assert logs["frechet_distance"] == pytest.approx(whole["frechet_distance"])
    gan.evaluate(make(images), steps=2, return_dict=True, verbose=0)
    assert gan.scores["frechet_distance"]["protocol"]["real_images"] == 64
    options = {"validation_data": make(images), "batch_size": 32, "verbose": 0}
    history = gan.fit(images, epochs=2, **options).history
    assert len(history["val_frechet_distance"]) == 2


def test_an_iterator_is_validated_from_its_first_batch_on(images):
    batches = ((images[:32],), (-images[:32],))
    whole = np.concatenate([batch for (batch,) in batches])
    options = {"batch_size": 32, "validation_steps": 2, "verbose": 0}
    found, expected = (
        mlp_gan().fit(images, validation_data=data, **options).history
        for data in (iter(batches), whole)
    )
    for name in ("val_real_probability", "val_generator_loss"):
        assert found[name] == pytest.approx(expected[name], rel=1e-5), name


def test_a_model_of_ones_own_is_measured(images):
    gan = mlp_gan(kind=OwnGAN, metrics=[FrechetDistance()])
    logs = gan.evaluate(images, return_dict=True, verbose=0)
    fakes = gan.generate(len(images), seed=0)
    assert logs["frechet_distance"] == pytest.approx(value(FrechetDistance(), images, fakes))


def test_a_conditional_model_is_asked_for_the_real_labels(images):
    labels = np.arange(len(images)) % 3
    gan = conditional(metrics=[FrechetDistance()])
    logs = gan.evaluate(images, labels, return_dict=True, verbose=0)
    fakes = gan.generate(len(images), labels=labels, seed=0)
    assert logs["frechet_distance"] == pytest.approx(value(FrechetDistance(), images, fakes))


def test_translations_are_measured_beside_their_targets():
    rng = np.random.default_rng(0)
    inputs, targets = (
        rng.uniform(-1, 1, (12, 8, 8, channels)).astype("float32") for channels in (3, 1)
    )
    absolute = keras.metrics.MeanAbsoluteError(name="mae")
    square = keras.metrics.RootMeanSquaredError(name="rmse")
    gan = pix2pix(compiled={"metrics": [FrechetDistance(), absolute, square]})
    logs = gan.evaluate(inputs, targets, return_dict=True, verbose=0)
    translated = gan.translate(inputs)
    assert logs["mae"] == pytest.approx(np.abs(targets - translated).mean(), rel=1e-5)
    assert logs["rmse"] == pytest.approx(np.sqrt(((targets - translated) ** 2).mean()), rel=1e-5)
    assert "latent_seed" not in gan.scores["frechet_distance"]["protocol"]
    expected = value(FrechetDistance(), targets, translated)
    assert logs["frechet_distance"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.filterwarnings(NOT_MEASURED)
def test_evaluate_names_its_values(images):
    """As Keras does, in the order of the list; both arrays may come as one tuple."""
    labels = np.arange(len(images)) % 3
    gan = conditional(metrics=[PrecisionRecall()])
    named = gan.evaluate(images, labels, return_dict=True, verbose=0)
    values = gan.evaluate((images, labels), verbose=0)
    # The losses are of other latents each time.
    assert dict(zip(gan.metrics_names, values, strict=True)) == pytest.approx(named, rel=0.05)
    gan.fit((images, labels), epochs=1, verbose=0)
    with pytest.raises(ValueError, match=r"as one array.*Received: a list of 2"):
        gan.evaluate([images, labels])


def test_one_reference_has_one_hash_in_any_order(images):
    gan = mlp_gan(metrics=[FrechetDistance()])
    hashes = []
    for order in (np.arange(len(images)), np.random.default_rng(1).permutation(len(images))):
        gan.evaluate(images[order], verbose=0)
        hashes.append(gan.scores["frechet_distance"]["protocol"]["reference_hash"])
    gan.evaluate(images[:-1], verbose=0)
    other = gan.scores["frechet_distance"]["protocol"]["reference_hash"]
    assert hashes[0] == hashes[1] != other


def test_images_of_the_smaller_domain_count_once():
    """It is gone through again to be as long as the other; a measure takes each image once."""
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(-1, 1, (n, 8, 8, 3)).astype("float32") for n in (11, 5))
    gan = cyclegan(compiled={"metrics": [SlicedWasserstein()]})
    logs = gan.evaluate(a, b, return_dict=True, verbose=0)
    expected = value(SlicedWasserstein(), b, gan.translate(a[:5], direction="ab"))
    assert logs["sliced_wasserstein_b"] == pytest.approx(expected, rel=1e-5)
    protocol = gan.scores["sliced_wasserstein_a"]["protocol"]
    assert (protocol["real_images"], protocol["generated_images"]) == (5, 5)
    gan = cyclegan(compiled={"metrics": [PrecisionRecall()]})
    with pytest.raises(ValueError, match=r"PrecisionRecall needs at least 6.*Received: 5"):
        gan.fit(a, b, validation_data=(a, b), verbose=0)


def test_both_directions_of_a_cycle_are_measured():
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(-1, 1, (12, 8, 8, 3)).astype("float32") for _ in "ab")
    gan = cyclegan(compiled={"metrics": [FrechetDistance()]})
    logs = gan.evaluate(a, b, batch_size=4, return_dict=True, verbose=0)
    for domain, real, given, direction in (("a", a, b, "ba"), ("b", b, a, "ab")):
        expected = value(FrechetDistance(), real, gan.translate(given, direction=direction))
        assert logs[f"frechet_distance_{domain}"] == pytest.approx(expected, rel=1e-4)
        assert gan.scores[f"frechet_distance_{domain}"]["protocol"]["domain"] == domain


def test_metrics_are_saved_with_the_weights_of_their_networks(images, tmp_path):
    classifier = keras.Sequential(
        [small_network(), keras.layers.Dense(4, "softmax", name="classes")]
    )
    metrics = [
        FrechetDistance(small_network(), name="first"),
        KernelDistance(block_size=7),
        PrecisionRecall(k=2, density_k=4, name="second"),
        SlicedWasserstein(directions=9, seed=3),
        kgan.metrics.MultiScaleSimilarity(),
        kgan.metrics.DuplicateRate(threshold=0.25),
        ModeCoverage(classifier, threshold=0.2),
    ]
    gan = mlp_gan(metrics=metrics)
    gan.evaluate(images, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    loaded.evaluate(images, verbose=0)
    assert loaded.scores.keys() == gan.scores.keys()
    for name, score in gan.scores.items():
        assert loaded.scores[name]["protocol"] == score["protocol"]
        assert loaded.scores[name]["value"] == pytest.approx(score["value"], rel=1e-5), name


@pytest.mark.filterwarnings(NOT_MEASURED)
def test_a_run_goes_on_with_other_metrics(images, tmp_path):
    options = {"batch_size": 16, "verbose": 0, "checkpoint": tmp_path / "checkpoint.keras"}
    mlp_gan(metrics=[FrechetDistance(small_network(1))]).fit(images, epochs=1, **options)
    network = small_network(2)
    before = network.get_weights()
    gan = mlp_gan(metrics=[FrechetDistance(network), PrecisionRecall()])
    gan.fit(images, epochs=2, validation_data=images, **options)
    assert int(gan.optimizer.iterations) == 12
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_mixture_is_covered_while_training():
    ring = kgan.data.ring()
    keras.utils.set_random_seed(0)
    gan = kgan.GAN(
        kgan.networks.mlp_generator((2,), latent_dim=2, width=8),
        kgan.networks.mlp_discriminator((2,), width=8),
    )
    gan.compile(metrics=[ModeCoverage(ring), FrechetDistance()])
    points, _ = ring.sample(64, seed=0)
    logs = gan.evaluate(points, return_dict=True, verbose=0)
    coverage = ModeCoverage(ring)
    coverage.update_state(gan.generate(64, seed=0))
    assert logs["modes"] == float(coverage.result()["modes"])
    assert ModeCoverage.from_config(coverage.get_config()).protocol["modes"] == 8


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_stream_may_have_fewer_batches_than_steps(images):
    gan = mlp_gan(metrics=[FrechetDistance()])
    all_of_it = gan.evaluate(Stream(images), verbose=0, return_dict=True)
    more = gan.evaluate(Stream(images), steps=9, verbose=0, return_dict=True)
    assert more["frechet_distance"] == all_of_it["frechet_distance"]


def test_measures_of_one_network_are_saved_once_and_stay_together(images, tmp_path, monkeypatch):
    network = small_network()
    metrics = [FrechetDistance(network), KernelDistance(network), PrecisionRecall(network)]
    gan = mlp_gan(metrics=metrics)
    hashed = []
    monkeypatch.setattr(
        "kgan.metrics.extractors.digest", lambda model: hashed.append(model) or digest(model)
    )
    gan.evaluate(images, verbose=0)
    assert hashed == [network]
    for name in ("gan.keras", "again.keras"):
        gan.save(tmp_path / name)
        gan = keras.saving.load_model(tmp_path / name)
    first, *others = (metric.features.model for metric in gan.score_metrics)
    assert first is not network and all(other is first for other in others)
    np.testing.assert_array_equal(first.get_weights()[0], network.get_weights()[0])


def test_a_configuration_without_weights_measures_nothing(images):
    for metric in (FrechetDistance(small_network()), ModeCoverage(named(small_network()))):
        again = type(metric).from_config(metric.get_config())
        with pytest.raises(ValueError, match=r"not its weights.*Received: '.*' without"):
            again.update_state(images)


def named(network):
    return keras.Sequential([network, keras.layers.Dense(4, "softmax")])


def test_copies_are_of_images_trained_on(images):
    gan = mlp_gan(metrics=[kgan.metrics.DuplicateRate()])
    with pytest.warns(UserWarning, match=r"copies of training images.*Received: duplicate_rate"):
        gan.fit(images, validation_data=images[:20], verbose=0)
    gan.fit(images, validation_data=images, verbose=0)


def test_weights_of_samples_are_refused(images):
    gan, weights = mlp_gan(metrics=[FrechetDistance()]), np.ones(len(images))
    with pytest.raises(ValueError, match="Received: sample_weight"):
        gan.evaluate(images, sample_weight=weights)
    with pytest.raises(ValueError, match="Received: sample_weight"):
        gan.fit(images, validation_data=(images, None, weights))
    assert int(gan.optimizer.iterations) == 0
