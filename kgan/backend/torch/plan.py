"""A Functional network as a list of native calls, in place of Keras's walk through its graph."""

import inspect

import keras
import torch


class Plan:
    """What a Functional network computes, node by node.

    A layer that has a native call is called by it alone: none of what `Layer.__call__` does around
    a call is left to do for it, and that costs more than many a layer's arithmetic. Any other
    operation is called as Keras calls it.

    Args:
        network: a `keras.Model` made of inputs and outputs.
        native: a dictionary from layers to their native calls.

    Raises:
        AttributeError: if Keras no longer keeps its graph where this looks for it.
    """

    def __init__(self, network):
        self.network = network
        self.own_call = network.call
        self.slots = {}

    def prepare(self, native):
        network = self.network
        depths = sorted(network._nodes_by_depth, reverse=True)
        nodes = [node for depth in depths for node in network._nodes_by_depth[depth]]
        for tensor in network._inputs:
            self._slot(tensor)
        self.steps = [_Step(self, node, native) for node in nodes if not node.is_input]
        self.outputs = [self.slots[id(tensor)] for tensor in network._outputs]
        self._free_early()

    def _slot(self, tensor):
        return self.slots.setdefault(id(tensor), len(self.slots))

    def _free_early(self):
        """Tells each step which values nobody wants after it."""
        wanted = set(self.outputs)
        for step in reversed(self.steps):
            used = {*step.inputs, *step.outputs}
            step.last_used = tuple(used - wanted)
            wanted |= used

    def call(self, inputs, training=None, mask=None, **context):
        """In place of the network's `call`."""
        if mask is not None or context:
            return self.own_call(inputs, training=training, mask=mask, **context)
        values = self.network._standardize_inputs(inputs)
        values += [None] * (len(self.slots) - len(values))
        for step in self.steps:
            step.run(values, training)
        outputs = [values[slot] for slot in self.outputs]
        if len(outputs) == 1:
            return outputs[0]
        return keras.tree.pack_sequence_as(self.network._outputs_struct, outputs)


class _Step:
    """One node of the graph: an operation, where its arguments come from, where its outputs go."""

    def __init__(self, plan, node, native):
        self.operation = node.operation
        self.arguments = node.arguments
        self.tensors = node.arguments.keras_tensors
        self.inputs = [plan.slots[id(tensor)] for tensor in self.tensors]
        self.outputs = [plan._slot(tensor) for tensor in node.outputs]
        # As Keras hands on `training`: layers that do not want it are not given it.
        self.told = "training" in getattr(node.operation, "_call_context_args", ())
        args = node.arguments.args
        asked = any(value is not None for value in node.arguments.kwargs.values())
        # Of the layers with a native call, all but a few take one tensor or a list of them.
        self.single = len(args) == 1 and args[0] is self.tensors[0]
        listed = len(args) == 1 and isinstance(args[0], (list, tuple))
        listed = listed and all(a is b for a, b in zip(args[0], self.tensors, strict=True))
        same_dtype = getattr(node.operation, "compute_dtype", "") == plan.network.compute_dtype
        self.native = None
        if not asked and (self.single or listed) and same_dtype:
            self.native = native.get(node.operation)
            wants = self.native and inspect.signature(self.native).parameters
            self.native_told = wants and "training" in wants
            self.dtype = getattr(torch, plan.network.compute_dtype)

    def run(self, values, training):
        inputs = [values[slot] for slot in self.inputs]
        if self.native is None or any(hasattr(x, "_keras_mask") for x in inputs):
            outputs = self._run_by_keras(inputs, training)
        else:
            inputs = [
                x.to(self.dtype) if x.is_floating_point() and x.dtype != self.dtype else x
                for x in inputs
            ]
            first = inputs[0] if self.single else inputs
            outputs = self.native(first, training) if self.native_told else self.native(first)
        if len(self.outputs) == 1:
            values[self.outputs[0]] = keras.tree.flatten(outputs)[0]
        else:
            for slot, output in zip(self.outputs, keras.tree.flatten(outputs), strict=True):
                values[slot] = output
        for slot in self.last_used:
            values[slot] = None

    def _run_by_keras(self, inputs, training):
        values = {id(tensor): x for tensor, x in zip(self.tensors, inputs, strict=True)}
        args, kwargs = self.arguments.fill_in(values)
        if self.told and training is not None:
            kwargs = {**kwargs, "training": training}
        return self.operation(*args, **kwargs)
