"""Operators of TensorFlow that tf2onnx does not know, made of ones that ONNX has.

A handler takes the graph, the node and its name, and puts nodes of ONNX in its place.
"""

import numpy as np
from onnx import TensorProto


def _replace(graph, node, operator, inputs):
    """Puts a node of ONNX in the place of `node`, under its name and with its output."""
    shapes, dtypes = node.output_shapes, node.output_dtypes
    graph.remove_node(node.name)
    graph.make_node(
        operator, inputs, name=node.name, outputs=node.output, shapes=shapes, dtypes=dtypes
    )


def _one(graph, node):
    return graph.make_const(f"{node.name}_one", np.array(1, "float32")).output[0]


def _erfc(graph, node, name, arguments):
    """1 - erf(x), as in GELU."""
    erf = graph.make_node("Erf", [node.input[0]]).output[0]
    _replace(graph, node, "Sub", [_one(graph, node), erf])


def _log1p(graph, node, name, arguments):
    """log(1 + x), as in logaddexp."""
    total = graph.make_node("Add", [node.input[0], _one(graph, node)]).output[0]
    _replace(graph, node, "Log", [total])


def _expm1(graph, node, name, arguments):
    """exp(x) - 1, as in CELU."""
    exp = graph.make_node("Exp", [node.input[0]]).output[0]
    _replace(graph, node, "Sub", [exp, _one(graph, node)])


def _resize(graph, node, name, arguments):
    """Resize to a size: tf2onnx's own takes scales, whose rounding loses a row when it shrinks.

    Its cubic one also has another kernel than TensorFlow, and weighs what lies outside.
    """
    cubic = node.type == "ResizeBicubic"
    shape, dtype = node.output_shapes[0], graph.get_dtype(node.output[0])
    image = graph.make_node("Transpose", [node.input[0]], attr={"perm": [0, 3, 1, 2]}).output[0]
    whole = graph.make_node("Shape", [image]).output[0]
    bounds = [graph.make_const(f"{name}_{i}", np.array([i], "int64")).output[0] for i in (0, 2)]
    kept = graph.make_node("Slice", [whole, *bounds]).output[0]
    size = graph.make_node("Cast", [node.input[1]], attr={"to": TensorProto.INT64}).output[0]
    sizes = graph.make_node("Concat", [kept, size], attr={"axis": 0}).output[0]
    how = {"mode": "cubic" if cubic else "linear"}
    how["coordinate_transformation_mode"] = (
        "half_pixel" if node.get_attr_value("half_pixel_centers") else "asymmetric"
    )
    if cubic:
        how |= {"cubic_coeff_a": -0.5, "exclude_outside": 1}
    resized = graph.make_node("Resize", [image, "", "", sizes], attr=how).output[0]
    graph.remove_node(node.name)
    back = {"perm": [0, 2, 3, 1]}
    graph.make_node(
        "Transpose", [resized], back, name=name, outputs=node.output, shapes=[shape], dtypes=[dtype]
    )


HANDLERS = {
    "Erfc": (_erfc, []),
    "Expm1": (_expm1, []),
    "Log1p": (_log1p, []),
    "ResizeBicubic": (_resize, []),
    "ResizeBilinear": (_resize, []),
}
