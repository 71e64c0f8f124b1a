"""Equal weights and latents give equal losses on TensorFlow, JAX and PyTorch, step by step."""

import json

import numpy as np
import pytest
from conftest import BACKENDS, ROOT

SCRIPT = ROOT / "tests" / "once" / "trajectory.py"


@pytest.fixture(scope="module")
def trajectories(tmp_path_factory):
    from conftest import run

    folder = tmp_path_factory.mktemp("trajectories")
    for backend in BACKENDS:
        run([SCRIPT, folder / backend], backend)
    return {backend: json.loads((folder / backend).read_text()) for backend in BACKENDS}


@pytest.mark.parametrize("network", ["mlp", "dcgan"])
def test_losses_agree_over_20_steps(trajectories, network, capsys):
    runs = {backend: trajectories[backend][network] for backend in BACKENDS}
    names = set(runs["tensorflow"])
    assert {"discriminator_loss", "generator_loss"} < names
    # Something was learned, else agreement would say little.
    losses = runs["tensorflow"]["generator_loss"]
    assert len(losses) == 20
    assert np.ptp(losses) > 0.01
    worst = max(
        np.abs(np.subtract(runs[a][name], runs[b][name])).max()
        for a in BACKENDS
        for b in BACKENDS
        for name in names
    )
    with capsys.disabled():
        print(f"\n{network}: largest difference between the backends {worst:.1e}")
    assert worst < 1e-4
