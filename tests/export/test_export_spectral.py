"""Spectral normalisation is folded into the kernels of an export."""

import keras

import kgan

K, L = kgan.layers, keras.layers
SN, MBSD, CBN = (
    K.SpectralNormalization,
    K.MinibatchStandardDeviation,
    K.ConditionalBatchNormalization,
)


def test_an_export_holds_plain_weights(tmp_path):
    import onnx

    import kgan.export

    model = keras.Sequential([keras.Input((6,)), SN(L.Dense(5)), L.ReLU(), SN(L.Dense(2))])
    report = kgan.export.export(model, tmp_path / "model.onnx")
    assert report.artefacts[0].max_abs_error <= 1e-5
    operations = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert operations <= {"MatMul", "Gemm", "Add", "Relu", "Identity"}
