"""Two devices take the steps of one: `MirroredStrategy` on TensorFlow, `DataParallel` on JAX."""

import json

import numpy as np
import pytest
from conftest import ROOT, run

SCRIPT = ROOT / "tests" / "once" / "devices.py"


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def results(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("devices") / request.param
    run([SCRIPT, out], request.param)
    return {"backend": request.param, **json.loads(out.read_text())}


def difference(one, two):
    assert set(one) == set(two)
    return max(np.abs(np.subtract(one[name], two[name])).max() for name in one)


def test_losses_agree_over_20_steps(results, capsys):
    worst = {}
    for name, (one, two) in results["cases"].items():
        # Something was learned, else agreement would say little.
        losses = one["generator_loss"]
        assert len(losses) == 20 and np.ptp(losses) > 0.01, name
        worst[name] = difference(one, two)
    with capsys.disabled():
        print(f"\n{results['backend']}: largest difference between one device and two")
        print("".join(f"  {name} {value:.1e}\n" for name, value in worst.items()), end="")
    assert max(worst.values()) < 1e-4, worst


def test_progress_is_shown_as_on_one_device(results):
    one, two = results["progress"]
    assert difference(one, two) < 1e-4


def test_a_gan_trained_on_two_devices_is_used_like_any_other(results):
    one, two = results["afterwards"]
    assert difference(one["evaluate"], two["evaluate"]) < 1e-4
    np.testing.assert_allclose(one["generate"], two["generate"], atol=1e-4)
    np.testing.assert_array_equal(two["generate"], two["generate loaded"])
    assert difference(one["go on"], two["go on"]) < 1e-4
    assert difference(one["go on"], two["go on loaded"]) < 1e-4


def test_each_device_draws_latents_of_its_own_and_no_more_than_its_share(results):
    first, second = map(np.array, results["latents"])
    assert first.shape == second.shape == (4, 8)
    assert not np.isclose(first[:, None], second).all(axis=-1).any()


def test_an_overflow_on_one_device_skips_the_update_on_all(results):
    one, two = results["overflow"]
    assert one == two == {"finite": True, "skipped": 1.0}


def test_half_precision_with_all_that_is_random(results):
    history = results["half precision"]
    assert {"discriminator_gradient_penalty", "generator_skipped_updates"} < set(history)
    assert np.isfinite(list(history.values())).all()


def test_what_cannot_be_shared_equally_is_refused(results):
    assert "images[: len(images) // 2 * 2]" in results["refused arrays"]
    assert "times 2, the number of devices" in results["refused batches"]


def test_optimizers_of_one_device_are_refused_for_several(results):
    if results["backend"] == "jax":  # there the distribution is in force everywhere
        assert results["refused optimizers"] == "nothing was refused"
    else:
        assert "call compile() inside" in results["refused optimizers"]
