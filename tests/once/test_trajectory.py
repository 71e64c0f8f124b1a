"""Equal weights and latents give equal losses on TensorFlow, JAX and PyTorch, step by step."""

import json
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import trajectory
from conftest import BACKENDS, ROOT, run
from keras import ops

import kgan

SCRIPT = ROOT / "tests" / "once" / "trajectory.py"
TOLERANCE = 1e-4
"""The largest difference allowed, of the loss itself below 1 and of its magnitude above."""


@pytest.fixture(scope="module")
def trajectories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trajectories")

    def losses(backend):
        run([SCRIPT, folder / backend], backend)
        return json.loads((folder / backend).read_text())

    # JAX, which compiles longest, has one core to itself.
    with ThreadPoolExecutor(2) as pool:
        order = sorted(BACKENDS)
        return dict(zip(order, pool.map(losses, order), strict=True))


def difference(*runs):
    """The largest between the same losses of several runs, relative to a magnitude above 1."""
    values = [np.array([run[name] for name in sorted(run)]) for run in runs]
    size = np.abs(values).max(axis=(0, 2))
    return float((np.ptp(values, axis=0).max(axis=1) / np.maximum(size, 1)).max())


@pytest.mark.parametrize(
    ("kind", "runs"),
    [("mlp", 30), ("dcgan", 4), ("conditional", 3), ("acgan", 2), ("pix2pix", 1), ("cyclegan", 1)],
)
def test_losses_agree_over_20_steps(trajectories, kind, runs, capsys):
    names = [name for name in trajectories["torch"] if name.startswith(kind)]
    assert len(names) == runs
    for name in names:
        # Something was learned, else agreement would say little.
        losses = trajectories["torch"][name]["generator_loss"]
        assert len(losses) == 20
        assert np.ptp(losses) > 0.05, name
    differences = {
        name: difference(*(trajectories[backend][name] for backend in BACKENDS)) for name in names
    }
    worst = max(differences, key=differences.get)
    with capsys.disabled():
        print(f"\nlargest difference between the backends {differences[worst]:.1e} ({worst})")
    assert {name: d for name, d in differences.items() if not d < TOLERANCE} == {}


class LostGradient(trajectory.FedGradientPenalty):
    """Is shown among the losses, and not learned from."""

    def term(self, gradient):
        return ops.stop_gradient(super().term(gradient))


class WrongSign(kgan.losses.Wasserstein):
    """Shows the generator's loss and moves it uphill."""

    def generator(self, real, fake):
        loss = super().generator(real, fake)
        return 2 * ops.stop_gradient(loss) - loss


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [
        ("wasserstein", LostGradient(10.0)),
        ("wasserstein", trajectory.FedGradientPenalty(10.01)),
        (WrongSign(), trajectory.FedGradientPenalty(10.0)),
    ],
    ids=["gradient of the penalty lost", "weight 0.1 % too large", "wrong sign"],
)
def test_a_mistake_would_show(trajectories, loss, penalty):
    right = trajectories[keras.backend.backend()]["mlp, wasserstein, gradient penalty"]
    again = trajectory.train(trajectory.mlp(), "wasserstein", [trajectory.FedGradientPenalty(10.0)])
    wrong = trajectory.train(trajectory.mlp(), loss, [penalty])
    assert difference(right, again) < TOLERANCE / 10
    assert difference(right, wrong) > 5 * TOLERANCE
