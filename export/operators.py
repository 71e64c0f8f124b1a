"""Operators of TensorFlow that tf2onnx does not know, made of ones that ONNX has.

A handler takes the graph, the node and its name, and puts nodes of ONNX in its place.
"""

import numpy as np


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


HANDLERS = {"Erfc": (_erfc, []), "Expm1": (_expm1, []), "Log1p": (_log1p, [])}
