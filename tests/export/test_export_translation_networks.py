"""Exported translators hold what they compute and nothing else."""

import keras
import numpy as np
import pytest

import kgan

L, N = keras.layers, kgan.networks


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def norms(network):
    return kinds(network, (kgan.layers.InstanceNormalization, L.BatchNormalization))


def trained_looking(network):
    """Scales and shifts as after training: a converter folds 1 and 0 away."""
    rng = np.random.default_rng(3)
    for layer in norms(network):
        layer.gamma.assign(rng.normal(1, 0.1, layer.gamma.shape))
        layer.beta.assign(rng.normal(0, 0.1, layer.beta.shape))
    return network


@pytest.mark.parametrize(
    ("make", "options"),
    [(N.unet_generator, {"width": 8}), (N.cyclegan_generator, {"width": 8, "blocks": 2})],
)
def test_an_exported_translator_equals_keras_and_rearranges_nothing(make, options, tmp_path):
    import onnx

    import kgan.export

    network = trained_looking(make((16, 24, 2), 3, **options))
    report = kgan.export.export(network, tmp_path / "translator.onnx", tolerance=1e-4)
    (artefact,) = report.artefacts
    assert 0 < artefact.max_abs_error <= 1e-4
    assert [each.name for each in artefact.inputs] == ["image"]
    assert [each.name for each in artefact.outputs] == ["translated_image"]

    graph = onnx.load(tmp_path / "translator.onnx").graph
    nodes = graph.node
    count = [node.op_type for node in nodes].count
    # One at the image, one at the output: the network is computed channels first.
    assert count("Transpose") <= 2
    assert not {"Shape", "Cast", "Slice", "Gather", "Expand", "Tile"} & {n.op_type for n in nodes}
    # Two means of two axes each.
    assert count("ReduceMean") == 4 * len(norms(network))
    assert count("Sub") == count("Sqrt") == len(norms(network))
    assert count("Pad") == len(kinds(network, kgan.layers.ReflectionPadding2D))
    # What tf2onnx reshapes are means, one number a channel; never a map.
    reshaped = {node.output[0] for node in nodes if node.op_type == "Reshape"}
    shapes = [each.type.tensor_type.shape.dim for each in graph.value_info if each.name in reshaped]
    assert len(shapes) == len(reshaped)
    assert all(sorted(size.dim_value for size in shape[1:])[:2] == [1, 1] for shape in shapes)
