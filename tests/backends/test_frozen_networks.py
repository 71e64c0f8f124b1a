"""Frozen networks, optimizers and dictionaries are told of with what to do."""

import keras
import numpy as np
import pytest
from factory import mlp_gan


@pytest.mark.parametrize("player", ["generator", "discriminator"])
@pytest.mark.parametrize("verb", ["fit", "train_on_batch"])
def test_a_network_frozen_after_compile(player, verb, images):
    gan = mlp_gan()
    before = gan.generate(2, seed=0)
    layer = next(layer for layer in getattr(gan, player).layers if layer.trainable_variables)
    layer.trainable = False
    with pytest.raises(ValueError, match=rf"{player} trains.*call compile\(\) again.*Received: "):
        getattr(gan, verb)(images[:16])
    assert np.array_equal(gan.generate(2, seed=0), before)
    gan.compile()
    gan.fit(images[:16], verbose=0)
    layer.trainable = True
    with pytest.raises(ValueError, match=r"call compile\(\) again"):
        gan.fit(images[:16], verbose=0)


def test_an_optimizer_of_another_model():
    used = mlp_gan(generator_optimizer=keras.optimizers.Adam(1e-3)).optimizer.generator
    with pytest.raises(ValueError, match=r"make a new one.*Received: generator_optimizer, Adam"):
        mlp_gan(generator_optimizer=used)
    gan = mlp_gan()
    with pytest.raises(ValueError, match=r"make a new one.*Received: discriminator_optimizer"):
        gan.compile(
            generator_optimizer=gan.optimizer.discriminator,
            discriminator_optimizer=gan.optimizer.generator,
        )


def test_an_optimizer_of_the_same_network_goes_on(images):
    gan = mlp_gan()
    gan.fit(images[:32], verbose=0)
    gan.compile(generator_optimizer=gan.optimizer.generator)
    assert int(gan.optimizer.iterations) == 1
    gan.fit(images[:32], verbose=0)
    assert int(gan.optimizer.iterations) == 2


@pytest.mark.parametrize("form", ["array", "stream"])
def test_a_dictionary_names_its_keys(form, images):
    named = {"image": images[:8], "label": np.zeros(8, "int32")}

    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return (named,)

    data = named if form == "array" else Stream()
    message = r"batch\['image'\], batch\['label'\].*Received: .*keys 'image', 'label'"
    with pytest.raises(ValueError, match=message):
        mlp_gan().fit(data)
