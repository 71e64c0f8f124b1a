"""Asks a conditional GAN for each digit, and a classifier whether it got it.

    python examples/conditional_digits.py

With PyTorch on one of two busy cores: 5 minutes. A classifier that is right on 97.7 % of unseen
real digits names 99.2 % of 1,000 generated ones as they were asked for; conditional_digits.png has
a row for each digit, a column for each latent.
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

# A row for each digit, a column for each latent.
digits = np.repeat(np.arange(10), 10)
latents = np.tile(gan.draw_latents(10, seed=0), (10, 1))
save_grid("conditional_digits.png", gan.images_of(latents, digits.astype("int32")))

classifier = kgan.metrics.train_classifier(images[300:], labels[300:], epochs=20)
_, accuracy = classifier.evaluate(images[:300], labels[:300], verbose=0)
asked = np.arange(1000) % 10
named = classifier.predict(gan.generate(1000, asked, seed=1), verbose=0).argmax(axis=1)
print(f"The classifier is right on {accuracy:.1%} of unseen real digits, and names")
print(f"{np.mean(named == asked):.1%} of the generated ones as they were asked for.")
