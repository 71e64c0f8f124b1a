"""Writes what `tests/once/test_museum.py` reads. Ran once, on PyTorch, with kgan at f9aa851.

Not to be run again: these are files as people had them then, and later code must still load them,
give the same and train on. From the folder that is to hold them:
`KERAS_BACKEND=torch python make.py`.
"""

import subprocess
import sys

import keras
import numpy as np

import kgan

rng = np.random.default_rng(0)
images = np.tanh(rng.normal(size=(32, 8, 8, 1))).astype("float32")
labels = rng.integers(0, 3, 32).astype("int32")
pictures = np.tanh(rng.normal(size=(4, 16, 16, 3))).astype("float32")
networks = kgan.networks


def patches(channels):
    return networks.patch_discriminator((16, 16, channels), width=2, receptive_field=16)


def translator():
    return networks.cyclegan_generator((16, 16, 3), width=2, blocks=1)


def dcgan():
    keras.utils.set_random_seed(1)
    model = kgan.GAN(
        networks.dcgan_generator((8, 8, 1), latent_dim=4, width=2),
        networks.dcgan_discriminator((8, 8, 1), width=2),
        seed=0,
    )
    r1, r2 = kgan.penalties.R1(0.1), kgan.penalties.R2(0.1)
    model.compile(loss="relativistic", penalties=[r1, r2], ema=0.9)
    return model


keras.utils.set_random_seed(0)
gan = dcgan()
gan.fit(images, batch_size=16, epochs=2, verbose=0, checkpoint="checkpoint.keras")
gan.save("gan.keras")
gan.export("bundle", ("saved_model", "tflite", "onnx"))
gan.export("generator.onnx")
gone_on = dcgan()  # what a run gives that goes on from the checkpoint
gone_on.fit(images, batch_size=16, epochs=4, verbose=0)

conditional = kgan.ConditionalGAN(
    networks.mlp_generator((8, 8, 1), latent_dim=4, width=4, num_classes=3),
    networks.mlp_discriminator((8, 8, 1), width=4, num_classes=3),
    num_classes=3,
    class_names=["a", "b", "c"],
    seed=0,
)
conditional.compile()
conditional.fit(images, labels, batch_size=16, epochs=2, verbose=0)
conditional.save("conditional.keras")
conditional.export("conditional.onnx")

pix2pix = kgan.Pix2Pix(networks.unet_generator((16, 16, 3), 3, width=2), patches(6), seed=0)
pix2pix.compile()
pix2pix.fit(pictures, pictures[::-1], epochs=1, verbose=0)
pix2pix.save("pix2pix.keras")

cyclegan = kgan.CycleGAN(translator(), translator(), patches(3), patches(3), pool_size=2, seed=0)
cyclegan.compile()
cyclegan.fit(pictures, pictures[::-1], epochs=1, verbose=0)
cyclegan.save("cyclegan.keras")

train = "train digits --network mlp --width 4 --latent-dim 4 --epochs 1 --batch-size 256 --seed 0"
command = [sys.executable, "-m", "kgan", *train.split(), "--out", "run"]
subprocess.run(command, check=True)

np.savez(
    "answers.npz",
    gan=gan.generate(4, seed=1),
    gone_on=gone_on.generate(4, seed=1),
    conditional=conditional.generate(4, labels=[0, 1, 2, 0], seed=1),
    pix2pix=pix2pix.translate(pictures),
    ab=cyclegan.translate(pictures, direction="ab"),
    ba=cyclegan.translate(pictures, direction="ba"),
    images=images,
    labels=labels,
    pictures=pictures,
)
