"""Measures where several devices share the work."""

SCRIPT = """
import os
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
import keras
keras.distribution.set_distribution(keras.distribution.DataParallel())
import numpy as np
from factory import mlp_gan
from kgan.metrics import FrechetDistance

assert keras.distribution.distribution().num_model_replicas == 2
images = np.random.default_rng(0).uniform(-1, 1, (50, 8, 8, 1)).astype("float32")
network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(4)])
gan = mlp_gan(metrics=[FrechetDistance(network)], ema=0.9)
history = gan.fit(images, batch_size=10, verbose=0, validation_data=images[:44]).history
metric = FrechetDistance(network)
fakes = gan.generate(44, seed=0)
for start in range(0, 44, 11):  # a number that two devices cannot share
    metric.update_state(images[start : start + 11], fakes[start : start + 11])
np.testing.assert_allclose(history["val_frechet_distance"][-1], metric.result(), rtol=1e-5)
print("measured")
"""


def test_two_devices_give_the_same_score(python):
    assert "measured" in python(["-c", SCRIPT], "jax")
