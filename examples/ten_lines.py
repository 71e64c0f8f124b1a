"""The ten lines of the README, timed, and how many of their digits can be recognised.

Run: KERAS_BACKEND=torch python examples/ten_lines.py
"""

import time

import kgan
import kgan.cli.digits

start = time.perf_counter()

images, _ = kgan.data.digits()  # float32 (1797, 8, 8, 1) in [-1, 1]

gan = kgan.GAN(
    kgan.networks.dcgan_generator(image_shape=(8, 8, 1), latent_dim=64),
    kgan.networks.dcgan_discriminator(image_shape=(8, 8, 1)),
)
gan.compile(loss="non_saturating", penalties=[kgan.penalties.R1(1.0)], ema=0.999)
gan.fit(
    images, batch_size=64, epochs=100, callbacks=[kgan.callbacks.SampleGrid("samples", every=10)]
)

samples = gan.generate(16, seed=0)  # (16, 8, 8, 1), the same on every call
gan.save("gan.keras")
report = gan.export("generator.onnx")  # raises unless the file equals the Keras model
print(report)

print(f"{time.perf_counter() - start:.0f} s")
found = kgan.cli.digits.recognition(gan.generate(1000, seed=0))
print(f"recognised: {found['share']:.0%}, of each digit: {found['digits']}")
