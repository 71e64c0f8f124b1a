"""Finds the direction in which a trained generator writes bolder, and follows it.

    python examples/latent_control.py

With TensorFlow on 2 busy cores: 4 minutes. From step -3 to +3 the mean ink of 1,000 generated
digits rises from 0.236 to 0.376 (0.307 at step 0), at every step for 99.8 % of them, while a
classifier of real digits still names 94.6 to 99.6 % as they were asked for; latent_control.png
has a row for each digit, a column for each step.
"""

import keras
import numpy as np

import kgan
from kgan.images import save_grid

images, labels = kgan.data.digits()
keras.utils.set_random_seed(0)
gan = kgan.ConditionalGAN(
    kgan.networks.mlp_generator((8, 8, 1), latent_dim=32, num_classes=10),
    kgan.networks.mlp_discriminator((8, 8, 1), num_classes=10),
    num_classes=10,
    seed=0,
)
gan.compile(penalties=[kgan.penalties.R1(1.0)], ema=0.999)
gan.fit(
    images, labels, batch_size=64, epochs=300, verbose=0, callbacks=[kgan.callbacks.ProgressBar()]
)
classifier = kgan.metrics.train_classifier(images[300:], labels[300:], epochs=20)


def ink(images):
    """The attribute: the mean brightness of each image, 0 for black to 1 for white."""
    return (images.mean(axis=(1, 2, 3)) + 1) / 2


def random_digits(latents):
    """Images of latents, each of a digit drawn at random, so that no digit's own ink counts."""
    return gan.images_of(latents, gan.draw_labels(len(latents), seed=1))


direction = kgan.latent.supervised(random_digits, ink, latent_dim=32)

# The same 1,000 latents and digits at every step along the direction.
latents, digits = gan.draw_latents(1000, seed=2), np.arange(1000, dtype="int32") % 10
steps = np.arange(-3, 4)
walks = [gan.images_of(latents + step * direction, digits) for step in steps]
inks = np.array([ink(walk) for walk in walks])
for step, walk, values in zip(steps, walks, inks, strict=True):
    kept = np.mean(classifier.predict(walk, verbose=0).argmax(axis=1) == digits)
    print(f"step {step:+d}: mean ink {values.mean():.3f}, {kept:.1%} are still the digit asked for")
rises = np.mean((np.diff(inks, axis=0) > 0).all(axis=0))
print(f"Ink rises at every step for {rises:.1%} of the 1,000 images.")

# A row for each digit, a column for each step.
save_grid("latent_control.png", np.stack(walks, 1)[:10].reshape(-1, 8, 8, 1), columns=len(steps))
