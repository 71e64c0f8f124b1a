"""The page on GANs of one's own runs as it stands, and its models learn what it says."""

import re

import numpy as np
import pytest
from conftest import ROOT

import kgan


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What the page's code leaves behind."""
    folder = tmp_path_factory.mktemp("page")
    text = (ROOT / "docs" / "own_gan.md").read_text()
    found = {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S):
            exec(compile(block, "own_gan.md", "exec"), found)
    return found


def test_the_condition_is_followed(page):
    for made, radius in ((page["small"], 0.5), (page["large"], 1.5)):
        found = np.linalg.norm(made, axis=1)
        assert abs(np.median(found) - radius) < 0.2
        assert np.quantile(np.arctan2(*made.T), [0.1, 0.9]) @ [-1, 1] > np.pi  # all around


def test_its_file_gives_the_same(page):
    np.testing.assert_allclose(page["again"], page["large"], atol=1e-5)


def test_three_players_learn(page):
    history = page["history"]
    assert history["encoder_reconstruction"][-1] < history["encoder_reconstruction"][0] / 4
    codes = page["model"].encoder.predict(page["points"], verbose=0)
    assert abs(codes.mean()) < 0.5 and 0.4 < codes.std() < 2
    shown = [name for name in history if name.startswith("encoder")]
    assert sorted(shown) == ["encoder_adversarial", "encoder_loss", "encoder_reconstruction"]
    assert page["rows"].shape == (5, 2)


def test_walks_go_on(page):
    walker, past, future = page["walker"], page["past"], page["future"]
    made = walker.generate(len(past), past=past, seed=0)
    stays = np.repeat(past[:, -1:], 4, axis=1)
    assert np.square(made - future).mean() < np.square(stays - future).mean() / 4
    assert page["twenty"].shape == (20, 4, 2) and page["twenty"].std(axis=0).max() > 0
    assert [type(each) for each in walker.takes] == [kgan.Latent, kgan.Given]
