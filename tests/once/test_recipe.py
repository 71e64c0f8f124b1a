"""The recipe of a run: written as numbers, read as any version wrote it, compared on resuming."""

import dataclasses
import json

import pytest

from kgan.cli.kinds import Kind
from kgan.cli.recipe import Recipe

PIX2PIX = Recipe("pairs", model=Kind.pix2pix, image_size="16x24", channels="3,1", seed=7)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("digits"),
        Recipe("mnist", metrics="frechet_distance", features="inception", loss="hinge"),
        PIX2PIX,
        dataclasses.replace(PIX2PIX, jitter=False, targets="targets", decay=True),
    ],
)
def test_what_is_written_is_read(recipe):
    written = recipe.completed().kept()
    read = Recipe.read(json.loads(json.dumps(written)))
    assert recipe.completed().changes(read) == []
    assert read.kept() == written


def test_numbers_are_numbers():
    kept = json.loads(json.dumps(PIX2PIX.completed().kept()))
    assert (kept["seed"], kept["learning_rate"], kept["batch_size"]) == (7, 2e-4, 1)
    assert (kept["image_size"], kept["channels"], kept["jitter"]) == ([16, 24], [3, 1], True)
    assert not {"out", "resume", "swap", "latent_dim", "features"} & set(kept)


def test_text_of_earlier_versions_is_read():
    old = {name: str(value) for name, value in PIX2PIX.completed().kept().items()}
    old |= {"image_size": "16x24", "channels": "3,1"}
    assert Recipe.read(old) == Recipe.read(PIX2PIX.completed().kept())


def test_an_option_that_an_earlier_version_did_not_have_is_no_change():
    old = Recipe("digits").completed().kept()
    del old["background"], old["interpolation"]
    assert Recipe("digits", background="black").completed().changes(Recipe.read(old)) == []


def test_changes_are_named():
    recipe = dataclasses.replace(PIX2PIX, decay=True).completed()
    other = dataclasses.replace(
        PIX2PIX, image_size="16", jitter=False, seed=0, metrics="kernel_distance", epochs=3
    )
    assert other.completed().changes(Recipe.read(recipe.kept())) == [
        "--epochs 3 (20)",
        "without --decay",
        "--image-size 16x16 (16x24)",
        "without --jitter",
        "with --metrics",
        "--seed 0 (7)",
    ]
    assert (
        dataclasses.replace(PIX2PIX, data="others").completed().changes(PIX2PIX.completed()) == []
    )


@pytest.mark.parametrize("value", [None, [], {}, "x", "1e999", 1e999, True, "-", [[1]]])
def test_what_means_nothing_is_none(value):
    names = ("seed", "batch_size", "image_size", "channels", "model", "network")
    read = Recipe.read(dict.fromkeys(names, value))
    assert [getattr(read, name) for name in names] in ([None] * 6, [1, 1, *[None] * 4])


def test_defaults_follow_the_kind():
    for kind in Kind:
        recipe = Recipe("data", model=kind).completed()
        known = (recipe.batch_size, recipe.network, recipe.latent_dim, recipe.jitter)
        assert known == ((1, None, None, True) if kind.translates else (64, "dcgan", 64, None))
    with pytest.raises(ValueError, match=r"Only a translator.*Received: --swap$"):
        Recipe("data", swap=True).completed()
    with pytest.raises(ValueError, match=r"Translators have networks.*Received: --latent-dim 4$"):
        Recipe("data", model=Kind.cyclegan, latent_dim=4).completed()
