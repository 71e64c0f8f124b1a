"""`kgan evaluate`: the same scores from the command, from Python, and from the exported file."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import command
from PIL import Image

import kgan
from kgan.cli import reference
from kgan.cli.best_model import Followed
from kgan.cli.run import Run
from kgan.images import from_pixels

# Small sets, which are warned of; tests/quick/test_metrics_degeneracy.py looks at that.
pytestmark = [
    pytest.mark.filterwarnings("ignore:This score says little"),
    pytest.mark.filterwarnings("ignore:50 images or more"),
]


def networks(shape=(8, 8, 1), **options):
    return (
        kgan.networks.mlp_generator(shape, latent_dim=4, width=16, **options),
        kgan.networks.mlp_discriminator(shape, width=16, **options),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A GAN of digits, a conditional one, and a Pix2Pix and CycleGAN of 16 pixels."""
    folder = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(0)
    shape = (16, 16, 3)
    translator = {"width": 4, "receptive_field": 16}
    models = {
        "gan": kgan.GAN(*networks()),
        "conditional": kgan.ConditionalGAN(*networks(num_classes=10), num_classes=10),
        "pix2pix": kgan.Pix2Pix(
            kgan.networks.unet_generator(shape, width=4),
            kgan.networks.patch_discriminator((16, 16, 6), **translator),
        ),
        "cyclegan": kgan.CycleGAN(
            *(kgan.networks.cyclegan_generator(shape, width=4, blocks=1) for _ in "ab"),
            *(kgan.networks.patch_discriminator(shape, **translator) for _ in "ab"),
        ),
    }
    for name, model in models.items():
        model.compile()
        model.save(folder / f"{name}.keras")
    models["conditional"].export(folder / "conditional.onnx")
    models["cyclegan"].export(folder / "back.onnx", direction="ba")
    return folder


def photos(folder, count, size):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(count)
    for i in range(count):
        pixels = rng.integers(256, size=(*size[::-1], 3), dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def test_a_saved_gan_is_measured_as_in_python(folder, tmp_path):
    out = tmp_path / "deep" / "scores.json"
    options = ["--metrics", "all", "--count", 300, "--seed", 3, "--out", out]
    printed = command("evaluate", folder / "gan.keras", "digits", *options)
    scores = json.loads(out.read_text())
    assert all(name in printed for name in scores) and "generated_images: 300" in printed
    gan = keras.saving.load_model(folder / "gan.keras")
    chosen = np.sort(np.random.default_rng(3).permutation(1797)[:300])
    real, fake = kgan.data.digits()[0], gan.generate(300, seed=3)
    hashes = set()
    for metric in (kgan.metrics.FrechetDistance(), kgan.metrics.DuplicateRate()):
        # Copies are looked for among all digits, not only the 300 that stand beside others.
        metric.update_state(real if metric.searches else real[chosen], fake)
        score = scores[metric.name]
        assert score["value"] == pytest.approx(metric.result(), rel=1e-5)
        told = {**metric.protocol, "reference": "digits", "model": "gan.keras", "latent_seed": 3}
        assert told.items() < score["protocol"].items()
        assert score["protocol"]["reference_resize"].startswith("bilinear")
        hashes.add(score["protocol"]["reference_hash"])
    assert len(hashes) == 2
    assert len(scores) == 1 + 2 + 4 + 1 + 2 + 1


def test_an_exported_file_has_the_scores_of_the_model(folder, tmp_path):
    found = []
    for name in ("conditional.keras", "conditional.onnx"):
        out = tmp_path / f"{name}.json"
        options = ["--features", "classifier", "--count", 200, "--out", out]
        options += ["--metrics", "frechet_distance,kernel_distance,mode_coverage"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(tmp_path))
            command("evaluate", folder / name, "digits", *options)
        found.append(json.loads(out.read_text()))
    keras_scores, onnx_scores = found
    assert keras_scores.keys() == onnx_scores.keys()
    for name, score in keras_scores.items():
        assert onnx_scores[name]["value"] == pytest.approx(score["value"], rel=1e-3, abs=1e-6)
    protocols = [scores["frechet_distance"]["protocol"] for scores in found]
    assert protocols[0]["features_hash"] == protocols[1]["features_hash"]
    assert keras_scores["modes"]["protocol"]["modes"] == 10
    assert [each["generator"] for each in protocols] == ["last weights", "exported file, onnx"]
    assert "labels" not in protocols[0]
    assert protocols[1]["precision"] == "float32" and len(protocols[1]["source_hash"]) == 12
    assert protocols[0]["reference_hash"] == protocols[1]["reference_hash"]


def test_a_folder_without_labels(folder, tmp_path):
    """A conditional GAN is asked for random classes, the model of features is a file."""
    images = photos(tmp_path / "images", 12, (9, 8))
    network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.AveragePooling2D(2)])
    network.save(tmp_path / "features.keras")
    for name in ("gan.keras", "conditional.keras", "conditional.onnx"):
        out = tmp_path / f"{name}.json"
        options = ["--features", tmp_path / "features.keras", "--count", 10, "--out", out]
        options += ["--metrics", "frechet_distance,duplicate_rate"]
        command("evaluate", folder / name, images, *options)
        protocol, searched = (
            json.loads(out.read_text())[name]["protocol"]
            for name in ("frechet_distance", "duplicate_rate")
        )
        assert protocol["real_images"] == protocol["generated_images"] == 10
        assert (searched["real_images"], searched["generated_images"]) == (12, 10)
        assert ("labels" in protocol) == (name != "gan.keras")
        assert protocol["features"].startswith("model sequential")


def test_translators(folder, tmp_path):
    pairs = photos(tmp_path / "pairs", 5, (32, 16))
    a, b = (photos(tmp_path / name, count, (16, 16)) for name, count in (("a", 6), ("b", 4)))
    out = tmp_path / "scores.json"
    options = ["--metrics", "sliced_wasserstein", "--out", out]
    command("evaluate", folder / "pix2pix.keras", pairs, *options)
    pixels = [np.asarray(Image.open(pairs / f"{i}.png")) for i in range(5)]
    inputs, targets = np.split(from_pixels(np.stack(pixels)), 2, axis=2)
    gan = keras.saving.load_model(folder / "pix2pix.keras")
    metric = kgan.metrics.SlicedWasserstein()
    metric.update_state(targets, gan.translate(inputs))
    score = json.loads(out.read_text())["sliced_wasserstein"]["value"]
    assert score == pytest.approx(metric.result(), rel=1e-4)
    options = ["--targets", b, "--metrics", "sliced_wasserstein", "--out"]
    out = tmp_path / "both.json"
    command("evaluate", folder / "cyclegan.keras", a, *options, out)
    both = json.loads(out.read_text())
    assert set(both) == {"sliced_wasserstein_a", "sliced_wasserstein_b"}
    out = tmp_path / "back.json"
    command("evaluate", folder / "back.onnx", a, *options, out)
    back = json.loads(out.read_text())["sliced_wasserstein"]
    assert back["protocol"]["real_images"] == 4
    assert back["protocol"]["direction"] == "ba"
    assert back["protocol"]["reference"] == f"{a}, {b}"
    assert back["value"] == pytest.approx(both["sliced_wasserstein_a"]["value"], rel=1e-3)


def test_a_tenth_of_two_domains_is_held_out(folder, tmp_path):
    a, b = (photos(tmp_path / name, count, (16, 16)) for name, count in (("a", 100), ("b", 120)))
    model = keras.saving.load_model(folder / "cyclegan.keras")
    run = Run(model, kgan.data.image_domains(a, b, (16, 16), batch_size=2), None, (16, 16, 3))
    followed = Followed(run, "kernel_distance", "pixels", seed=0)
    assert followed.monitor == "val_kernel_distance_b"
    streams = run.images.sources, followed.validation.sources
    for left, held, count in zip(*streams, (100, 120), strict=True):
        assert len(held.items) == count / 10 and len({*left.items, *held.items}) == count
    for images, metrics, message in [
        (run.images, "duplicate_rate", "begin with one of frechet_distance"),
        (run.images, "kernel_distance,duplicate_rate", "leave it to kgan evaluate"),
        (np.zeros((90, 16, 16, 3)), "kernel_distance", "Received: 9 held out"),
    ]:
        with pytest.raises(ValueError, match=message):
            Followed(Run(model, images, None, (16, 16, 3)), metrics, "pixels", seed=0)


def test_what_a_run_held_out_is_measured_alone(folder, tmp_path):
    """The score is that of the last epoch, from a saved GAN and from a file one folder below."""
    run = tmp_path / "run"
    options = ["--network", "mlp", "--width", 8, "--epochs", 2, "--out", run]
    command("train", "digits", *options, "--metrics", "sliced_wasserstein", "--seed", 5)
    last = (run / "log.csv").read_text().splitlines()
    last = dict(zip(last[0].split(","), last[-1].split(","), strict=True))
    command("export", run, "--out", run / "bundle")
    measure = ["digits", "--metrics", "sliced_wasserstein"]
    assert "--held-out measures" in command("evaluate", run, *measure)
    of = set()
    for name in ("gan.keras", "bundle/generator.onnx"):
        out = tmp_path / f"{Path(name).name}.json"
        printed = command("evaluate", run / name, *measure, "--held-out", "--out", out)
        score = json.loads(out.read_text())["sliced_wasserstein"]
        assert score["value"] == pytest.approx(float(last["val_sliced_wasserstein"]), rel=1e-4)
        assert score["protocol"]["reference_part"] == "held out in training, seed 5"
        assert "measure: SlicedWasserstein" in printed  # of one score all of the protocol is told
        told = score["protocol"]
        of.add(told.get("saved_model_hash", told["model_hash"]))
    assert len(of) == 1  # also where the folder of the run was exported
    for arguments, message in [
        ([run, "mnist"], "name these: digits"),
        ([run, "digits", "--split", "test"], "no other --split"),
        ([run, "digits", "--metrics", "duplicate_rate"], "without it"),
        ([folder / "gan.keras", "digits"], "is for a run of kgan train --metrics"),
    ]:
        assert message in command("evaluate", *arguments, "--held-out", code=2)


def test_streams_hold_out_the_same_for_both_commands(folder, tmp_path):
    """Of two folders each its own tenth."""
    a, b = (photos(tmp_path / name, count, (16, 16)) for name, count in (("a", 100), ("b", 120)))
    model = keras.saving.load_model(folder / "cyclegan.keras")
    run = Run(model, kgan.data.image_domains(a, b, (16, 16)), None, (16, 16, 3))
    with pytest.warns(UserWarning, match="chance.*Received: 10 held out"):
        followed = Followed(run, "kernel_distance", "pixels", seed=4)
    assert "10 images alone" in followed.doubt
    held = followed.validation
    measured = reference.domains((a, b), [(16, 16, 3)] * 2, 999, seed=0, held=4)
    for kind, expected in zip(measured.chosen.sources, held.sources, strict=True):
        assert {*kind.items} <= {*expected.items}
    assert len(measured) == 10  # as many of each as the smaller has


def test_what_cannot_be_measured_is_said(folder, tmp_path):
    gan, images = folder / "gan.keras", photos(tmp_path / "images", 3, (8, 8))
    other = tmp_path / "other.json"
    other.write_text(
        json.dumps({"recall": {"value": 0.5, "protocol": {"model": "generator.onnx"}}})
    )
    wide = folder / "wide.keras"
    kgan.GAN(*networks(shape=(65, 65, 1))).save(wide)
    broken = tmp_path / "broken.keras"
    broken.write_text("hi")
    day = folder / "cyclegan.keras"
    for side in ("testA", "testB"):
        photos(tmp_path / "domains" / side, 4, (8, 8))
    for arguments, message in [
        (["nothing.keras", "digits"], "no saved GAN here"),
        ([gan, "digits", "--metrics", "fid"], "--metrics takes frechet_distance"),
        ([gan, images, "--metrics", "mode_coverage"], "Received: --metrics mode_coverage"),
        ([gan, folder, "--no-download"], "A run is in this folder"),
        (
            [gan, "mnits", "--no-download"],
            "no such folder of images (that of a run is none), and TensorFlow Datasets has "
            "no such set (is it mnist",
        ),
        ([gan, "kmnist", "--no-download"], "This set is not prepared"),
        ([gan, "digits", "--features", "fid"], "--features takes pixels"),
        ([gan, "digits", "--features", gan], "Received: features=a GAN"),
        ([gan, "digits", "--out", other], "scores of generator.onnx"),
        ([gan, "digits", "--out", gan], "there is something else"),
        ([gan, "digits", "--out", tmp_path], "there is something else"),
        ([gan, images], "KernelDistance needs at least 4 images of each kind: raise --count"),
        ([gan, "digits", "--targets", tmp_path], "Received: --targets"),
        (
            [gan, images, "--features", "classifier"],
            "learns from labels",
        ),
        ([folder / "pix2pix.keras", "digits"], "digits"),
        ([wide, "digits"], "(in the shell --features inception)"),
        (
            [broken, "digits"],
            f"train anew, or name another. Received: {broken}",
        ),
        ([gan, "digits", "--features", broken], f"Received: --features {broken}"),
        ([gan, "digits", "--out", broken / "scores.json"], f"{broken} is a file"),
        ([gan, "digits", "--seed", -1], "--seed"),
        ([gan, "mnist", "--split", "test", "--metrics", "duplicate_rate"], "others: name those"),
        ([day, tmp_path / "domains", "--metrics", "duplicate_rate"], "others: name those"),
    ]:
        printed = command("evaluate", *arguments, code=2)
        assert message in printed
