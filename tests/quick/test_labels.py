"""Labels and networks of classes that do not fit are refused."""

import numpy as np
import pytest
from factory import conditional

import kgan
from kgan import networks

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")
LABELS = np.arange(48) % 3


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"fit\(images, labels\). Received: no labels"),
        (LABELS.astype("float32"), "must be integers.*Received: dtype float32"),
        (np.eye(3, dtype="int32")[LABELS], r"argmax\(axis=1\).*Received: labels of shape"),
        (
            np.eye(3, dtype="float32")[LABELS],
            r"argmax\(axis=1\) if they are one-hot.*shape \(48, 3\)",
        ),
        ([[0, 1], [2]], r"Give one array.*Received: \[\[0, 1\], \[2\]\]"),
        (np.array(["a", "b", "c"])[LABELS], "searchsorted.*Received: dtype"),
        (LABELS + 1, r"\[0, 3\).*Received: labels from 1 to 3"),
        (LABELS - 1, r"\[0, 3\).*Received: labels from -1 to 1"),
        (LABELS[:-1], "one label for each of the 48 images"),
    ],
    ids=[
        "none",
        "floats",
        "one-hot",
        "one-hot floats",
        "ragged",
        "strings",
        "too great",
        "negative",
        "few",
    ],
)
def test_labels_that_cannot_be_trained_on(labels, message):
    gan = conditional()
    with pytest.raises(ValueError, match=message):
        gan.fit(IMAGES, labels, verbose=0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            np.eye(3)[2],
            r"use labels.argmax\(\) if .*one-hot.*Received: dtype float64, shape \(3,\)",
        ),
        (np.eye(3, dtype=int)[2], r"with labels.argmax\(\).*Received: labels of shape \(3,\)"),
        (np.eye(3)[LABELS[:4]], r"labels.argmax\(axis=1\).*float64, shape \(4, 3\)"),
        (2.0, r"an integer for samples of one class.*Received: label=2.0"),
        (True, r"an integer for samples of one class.*Received: label=True"),
        ("2", r"an integer for samples of one class.*Received: label='2'"),
    ],
    ids=["one-hot class", "integers", "one-hot classes", "float", "bool", "text"],
)
def test_labels_that_cannot_be_generated(labels, message):
    with pytest.raises(ValueError, match=message):
        conditional().generate(4, labels=labels)


@pytest.mark.parametrize("kind", [kgan.ConditionalGAN, kgan.ACGAN])
def test_the_number_of_classes_is_asked_for(kind):
    gan = conditional()
    with pytest.raises(ValueError, match=r"num_classes=10 for.*Received: num_classes=None"):
        kind(gan.generator, gan.discriminator)


def test_networks_that_do_not_fit():
    plain = networks.mlp_generator((8, 8, 1), 4, 8), networks.mlp_discriminator((8, 8, 1), 8)
    told = (
        networks.mlp_generator((8, 8, 1), 4, 8, num_classes=3),
        networks.mlp_discriminator((8, 8, 1), 8, num_classes=3),
    )
    with pytest.raises(ValueError, match=r"label \(build it with num_classes=\)\. Received"):
        kgan.ConditionalGAN(*plain, num_classes=3)
    with pytest.raises(ValueError, match=r"ConditionalGAN takes.*Received"):
        kgan.GAN(*told)
    with pytest.raises(ValueError, match=r"\[logit, class_logits\].*Received"):
        kgan.ACGAN(told[0], plain[1], num_classes=3)
    with pytest.raises(ValueError, match=r"another number of classes.*Received.*for 3 classes"):
        kgan.ConditionalGAN(*told, num_classes=5)
    with pytest.raises(ValueError, match=r"each of the 3 classes once.*Received: class_names="):
        kgan.ConditionalGAN(*told, num_classes=3, class_names=["a", "b"])
    with pytest.raises(ValueError, match=r"Received: conditioning='film'"):
        networks.dcgan_generator((8, 8, 1), num_classes=3, conditioning="film")
    with pytest.raises(ValueError, match="Received: num_classes=0"):
        networks.dcgan_generator((8, 8, 1), num_classes=0)
