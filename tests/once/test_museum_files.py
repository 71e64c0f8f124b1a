"""Files, checkpoints and run folders of kgan at f9aa851: run, verified and gone on from."""

import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

import kgan
from kgan import cli
from kgan.export import load, report, verify

MUSEUM = Path(__file__).parents[1] / "museum"
ANSWERS = dict(np.load(MUSEUM / "answers.npz"))
TOLERANCE = 1e-4  # another processor
FILES = ["generator.onnx", *(f"bundle/generator{end}" for end in (".onnx", ".tflite"))]
FILES += ["bundle/generator_saved_model"]


@pytest.fixture
def museum(tmp_path):
    shutil.copytree(MUSEUM, tmp_path / "museum")
    return tmp_path / "museum"


@pytest.mark.parametrize("file", FILES)
def test_an_exported_generator_gives_what_it_gave(museum, file):
    made = load(museum / file).sample(4, seed=1)
    np.testing.assert_allclose(made, ANSWERS["gan"], atol=TOLERANCE)


def test_an_exported_conditional_generator_gives_what_it_gave(museum):
    file = load(museum / "conditional.onnx")
    made = file.sample(4, seed=1, label=np.array([0, 1, 2, 0]))
    np.testing.assert_allclose(made, ANSWERS["conditional"], atol=TOLERANCE)
    assert file.metadata["class_names"] == ["a", "b", "c"]


@pytest.mark.parametrize("path", [".", "bundle"])
def test_its_proof_can_be_repeated(museum, path):
    before = len(report.read(museum / path / report.FILE).artefacts)
    assert len(verify(museum / path).artefacts) == before > 0


def test_a_run_goes_on_from_its_checkpoint(museum):
    networks = kgan.networks
    keras.utils.set_random_seed(1)
    gan = kgan.GAN(
        networks.dcgan_generator((8, 8, 1), latent_dim=4, width=2),
        networks.dcgan_discriminator((8, 8, 1), width=2),
        seed=0,
    )
    penalties = [kgan.penalties.R1(0.1), kgan.penalties.R2(0.1)]
    gan.compile(loss="relativistic", penalties=penalties, ema=0.9)
    checkpoint = museum / "checkpoint.keras"
    history = gan.fit(ANSWERS["images"], batch_size=16, epochs=4, verbose=0, checkpoint=checkpoint)
    assert history.epoch == [2, 3]
    np.testing.assert_allclose(gan.generate(4, seed=1), ANSWERS["gone_on"], atol=TOLERANCE)


def test_the_command_goes_on_with_a_run_and_tells_of_it(museum):
    run = museum / "run"
    options = [
        "--network",
        "mlp",
        "--width",
        "4",
        "--latent-dim",
        "4",
        "--batch-size",
        "256",
        "--seed",
        "0",
    ]
    runner = CliRunner()
    train = ["train", "digits", *options, "--epochs", "2", "--out", str(run), "--resume"]
    result = runner.invoke(cli.app, train)
    assert result.exit_code == 0, result.output
    assert len((run / "log.csv").read_text().splitlines()) == 3  # names and two epochs
    result = runner.invoke(cli.app, ["report", str(run)])
    assert result.exit_code == 0, result.output
    result = runner.invoke(
        cli.app, ["sample", str(run / "gan.keras"), "--out", str(run / "samples.png")]
    )
    assert result.exit_code == 0, result.output
