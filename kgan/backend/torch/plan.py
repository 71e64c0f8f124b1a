"""A Functional network as a list of native calls, in place of Keras's walk through its graph."""

import inspect

import keras
import torch

from kgan.backend.torch.native_layer import ANY, FIRST, LAST, channels_first, channels_last


class Plan:
    """What a Functional network computes, step by step.

    A layer that has a native call is called by that alone: none of what `Layer.__call__` does
    around a call is left to do for it, and it costs more than many a layer's arithmetic. Whatever
    has none is called as Keras calls it.

    Between native calls maps keep their channels first, and an activation overwrites what it is
    given where nobody else needs it.

    Args:
        graph: a `keras.Model` made of inputs and outputs.
    """

    def __init__(self, graph):
        self.graph = graph
        self.own_call = graph.call

    def prepare(self, native):
        """Writes down the steps.

        Args:
            native: a dictionary from layers to their `Native`.

        Raises:
            AttributeError: if Keras no longer keeps its graph where this looks for it.
        """
        graph = self.graph
        values = {id(tensor): Value(i, tensor) for i, tensor in enumerate(graph._inputs)}
        self.steps = []
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if not node.is_input:
                    self.steps.append(Step(node, values, native, graph.compute_dtype))
        self.outputs = [values[id(tensor)] for tensor in graph._outputs]
        self.room = len(values) - len(graph._inputs)
        wanted = set(self.outputs)
        for step in reversed(self.steps):
            step.last_used = {*step.inputs, *step.outputs} - wanted
            wanted |= step.last_used
            step.overwrite_if_fresh()

    def call(self, inputs, training=None, mask=None, **context):
        """In place of the graph's `call`."""
        masked = any(hasattr(x, "_keras_mask") for x in keras.tree.flatten(inputs))
        masked = masked or any(each is not None for each in keras.tree.flatten(mask))
        if masked or context:
            return self.own_call(inputs, training=training, mask=mask, **context)
        tensors = [*self.graph._standardize_inputs(inputs), *[None] * self.room]
        for step in self.steps:
            step.run(tensors, training)
        outputs = [_moved(tensors[value.slot], value.layout, LAST) for value in self.outputs]
        if len(outputs) == 1:
            return outputs[0]
        return keras.tree.pack_sequence_as(self.graph._outputs_struct, outputs)


class Value:
    """A tensor of the graph: its slot in the list of tensors, and where its channels are."""

    def __init__(self, slot, tensor, layout=LAST, fresh=False):
        self.slot = slot
        self.layout = layout if len(tensor.shape) > 2 else ANY
        self.fresh = fresh
        self.uses = 0


class Step:
    """One node of the graph: an operation, where its arguments come from, where its outputs go."""

    def __init__(self, node, values, native, dtype):
        self.operation, self.arguments = node.operation, node.arguments
        self.given = node.arguments.keras_tensors
        self.inputs = [values[id(tensor)] for tensor in self.given]
        for value in self.inputs:
            value.uses += 1
        self.native = native.get(node.operation) if self._is_ordinary(dtype) else None
        self.layout, fresh = LAST, False
        if self.native:
            self.function, fresh = self.native.function, self.native.fresh
            self.tells = "training" in inspect.signature(type(self.operation).call).parameters
            self.dtype = getattr(torch, dtype) if self.operation.autocast else None
            self.layout = self.native.layout
            if self.layout is ANY:
                self.layout = self.inputs[0].layout
        self.outputs = []
        for tensor in node.outputs:
            value = values[id(tensor)] = Value(len(values), tensor, self.layout, fresh)
            self.outputs.append(value)

    def _is_ordinary(self, dtype):
        """Whether the operation is called on tensors alone, in the precision of the network."""
        args, kwargs = self.arguments.args, self.arguments.kwargs
        self.single = len(args) == 1 and args[0] is self.given[0]
        listed = len(args) == 1 and isinstance(args[0], (list, tuple))
        listed = listed and [*map(id, args[0])] == [*map(id, self.given)]
        return (
            (self.single or listed)
            and all(value is None for value in kwargs.values())
            and getattr(self.operation, "compute_dtype", None) == dtype
            and not any(hasattr(tensor, "_keras_mask") for tensor in self.given)
        )

    def overwrite_if_fresh(self):
        """Computes in place what nobody needs any more, no gradient either."""
        if self.native and self.native.in_place:
            (value,) = self.inputs
            if value.fresh and value.uses == 1 and value in self.last_used:
                self.function = self.native.in_place

    def run(self, tensors, training):
        """Takes its inputs from the list of tensors and puts its outputs there."""
        inputs = [_moved(tensors[value.slot], value.layout, self.layout) for value in self.inputs]
        if self.native is None:
            outputs = self._run_by_keras(inputs, training)
        else:
            for i, x in enumerate(inputs):
                if x.dtype is not self.dtype and self.dtype and x.is_floating_point():
                    inputs[i] = x.to(self.dtype)
            first = inputs[0] if self.single else inputs
            outputs = self.function(first, training) if self.tells else self.function(first)
        if len(self.outputs) == 1 and isinstance(outputs, torch.Tensor):
            tensors[self.outputs[0].slot] = outputs
        else:
            for value, output in zip(self.outputs, keras.tree.flatten(outputs), strict=True):
                tensors[value.slot] = output
        for value in self.last_used:
            tensors[value.slot] = None

    def _run_by_keras(self, inputs, training):
        values = {id(tensor): x for tensor, x in zip(self.given, inputs, strict=True)}
        args, kwargs = self.arguments.fill_in(values)
        # As Keras hands it on: a layer that does not want it is not given it.
        if training is not None and isinstance(self.operation, keras.Layer):
            kwargs = {**kwargs, "training": training}
        return self.operation(*args, **kwargs)


def _moved(x, layout, wanted):
    """A tensor with its channels where they are wanted."""
    if layout is wanted or layout is ANY:
        return x
    return channels_first(x) if wanted is FIRST else channels_last(x)
