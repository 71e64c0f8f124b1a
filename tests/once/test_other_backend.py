"""A GAN saved on one backend goes on training on another."""

import pytest

TRAIN = """
import numpy, keras, kgan
gan = kgan.GAN(
    kgan.networks.dcgan_generator((8, 8, 1), 4, 8), kgan.networks.dcgan_discriminator((8, 8, 1), 8)
)
gan.compile(penalties=[kgan.penalties.R1(1.0)], ema=0.9)
gan.fit(numpy.zeros((64, 8, 8, 1), "float32"), verbose=0)
gan.save("{file}")
print(gan.generate(1, seed=0).sum())
"""

GO_ON = """
import numpy, keras, kgan
gan = keras.saving.load_model("{file}")
print(gan.generate(1, seed=0).sum())
assert gan.trained_on == "{first}"
before = int(gan.optimizer.iterations)
gan.fit(numpy.zeros((64, 8, 8, 1), "float32"), verbose=0)
assert (before, int(gan.optimizer.iterations)) == (2, 4)
assert gan.trained_on == keras.config.backend()
"""


@pytest.mark.parametrize(
    ("first", "second"), [("torch", "jax"), ("torch", "tensorflow"), ("jax", "torch")]
)
def test_training_goes_on_elsewhere(first, second, python, tmp_path):
    file = tmp_path / "gan.keras"
    here = float(python(["-c", TRAIN.format(file=file)], first))
    there = float(python(["-c", GO_ON.format(file=file, first=first)], second))
    assert there == pytest.approx(here, abs=1e-4)
