"""Penalties that make no sense are refused."""

import pytest
from factory import mlp_gan

import kgan
from kgan import penalties


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: penalties.R1(-1.0), "at least 0. Received: weight=-1.0"),
        (lambda: penalties.R1(1.0, interval=0), "positive integer. Received: interval=0"),
        (lambda: penalties.GradientPenalty(target=-1), "Received: target=-1"),
        (lambda: penalties.GradientPenalty(epsilon=0), "epsilon=0"),
        (lambda: penalties.WeightClipping(0), "above 0. Received: limit=0"),
        (lambda: mlp_gan(penalties=["r1"]), "objects of kgan.penalties.*Received: 'r1'"),
        (lambda: mlp_gan(penalties=[penalties.R1(), penalties.R1()]), "once.*Received: r1, r1"),
        (
            lambda: mlp_gan(penalties=[penalties.WeightClipping(), penalties.GradientPenalty()]),
            "choose one of them. Received: both",
        ),
        (lambda: kgan.losses.NonSaturating(1.0), "Received: label_smoothing=1.0"),
    ],
)
def test_what_makes_no_sense(make, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.").replace(r"\.*", ".*")):
        make()
