"""Arguments that make no layer are refused."""

import keras
import numpy as np
import pytest

import kgan

K, L = kgan.layers, keras.layers
SN, MBSD, CBN = (
    K.SpectralNormalization,
    K.MinibatchStandardDeviation,
    K.ConditionalBatchNormalization,
)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SN(L.Dense(1), power_iterations=0), "Received: power_iterations=0"),
        (lambda: MBSD(0), "Received: group_size=0"),
        (lambda: CBN(0), "Received: num_classes=0"),
        (lambda: K.LabelPlane(2.0), "Received: num_classes=2.0"),
        (lambda: K.ProjectionLogit(True), "Received: num_classes=True"),
        (lambda: K.LabelPlane(2).build([(None, None, 8, 1), (None,)]), "must be known. Received"),
        (lambda: SN(L.ReLU()).build((1, 2)), "with a kernel.*Received: layer="),
        (lambda: K.InstanceNormalization(epsilon=0), "Received: epsilon=0"),
        (lambda: K.InstanceNormalization().build((None, 4)), r"input shape \(None, 4\)"),
        (lambda: K.ReflectionPadding2D(-1), "Received: padding=-1"),
        (lambda: K.ReflectionPadding2D((1, 2, 3)), r"Received: padding=\(1, 2, 3\)"),
        (lambda: K.ReflectionPadding2D(1.0), "Received: padding=1.0"),
        (
            lambda: K.ReflectionPadding2D((1, 3))(np.zeros((2, 2, 3, 1), "float32")),
            r"smaller than height and width.*padding=\(1, 3\), input shape \(2, 2, 3, 1\)",
        ),
        (lambda: K.ReflectionPadding2D(3)(keras.Input((9, 3, 1))), r"\(None, 9, 3, 1\)"),
    ],
)
def test_what_makes_no_layer(make, message):
    with pytest.raises(ValueError, match=message):
        make()
