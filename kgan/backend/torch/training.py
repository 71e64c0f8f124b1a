"""PyTorch: variables are stateful and every call is recorded unless told otherwise."""

import contextlib
import functools

import keras
import torch

from kgan.backend.torch.adam import fused
from kgan.backend.torch.state import in_stateless_scope


def step(method):
    """Runs `method(self, data)`, as Keras's PyTorch trainer calls it, with native calls in use."""

    @functools.wraps(method)
    def in_native_calls(self, data):
        with self.native_calls.in_use():
            return method(self, data)

    return in_native_calls


def vjp(model, function, *, variables=(), inputs=(), pulls=1):
    """Calls `function(*inputs)` and returns its outputs with their pullback, good for `pulls`."""
    values = [variable.value for variable in variables]
    leaves = keras.tree.map_structure(lambda x: x.detach().requires_grad_(), list(inputs))
    outputs = function(*leaves)
    left = pulls

    def pullback(cotangents):
        nonlocal left
        left -= 1
        pairs = zip(keras.tree.flatten(outputs), keras.tree.flatten(cotangents), strict=True)
        recorded = [(output, cotangent) for output, cotangent in pairs if output.requires_grad]
        # torch.autograd.grad, not backward(): nothing piles up in `.grad`, so a player's turn
        # leaves no gradient behind on the networks of the other player.
        gradients = torch.autograd.grad(
            [output for output, _ in recorded],
            values + keras.tree.flatten(leaves),
            [cotangent for _, cotangent in recorded],
            allow_unused=True,
            materialize_grads=True,
            retain_graph=left > 0,
        )
        head, tail = gradients[: len(values)], gradients[len(values) :]
        return list(head), keras.tree.pack_sequence_as(leaves, list(tail))

    return outputs, pullback


def input_gradient(model, function, x):
    """Returns the gradient of `sum(function(x))` for `x`, itself differentiable."""
    with keras.StatelessScope(), torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(function(x).sum(), x, create_graph=True)[0]


def value_and_input_gradient(model, function, x):
    """Returns `function(x)` and the gradient of its sum for `x`, itself differentiable.

    State that the call changes stays changed.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        outputs = function(x)
        return outputs, torch.autograd.grad(outputs.sum(), x, create_graph=True)[0]


def update(optimizer, gradients, variables):
    """Lets the optimizer change the variables."""
    with torch.no_grad(), fused(optimizer):
        optimizer.apply(gradients, variables)


def dry_run(model, function):
    """Runs `function()` for the errors and names it shows, without keeping any state it changes."""
    with keras.StatelessScope():
        function()


def spectator(model, function):
    """Returns a function of `function`'s arguments that gives what it gives and keeps no state."""

    def watch(*inputs):
        state = random_state()  # layers without a seed draw from it
        with keras.StatelessScope(), torch.enable_grad():
            outputs = function(*inputs)
        set_random_state(state)
        return outputs

    return watch


def sync(model):
    """Nothing to do: the variables always hold their values."""


class Trainer:
    """Nothing to add: a failed call takes nothing from the variables."""


def kept(model):
    """Nothing to do, see `Trainer`."""
    return contextlib.nullcontext()


def devices(model):
    """Returns how many devices share a batch: Keras trains on one."""
    return 1


def scope(model):
    """Nothing to do on one device."""
    return contextlib.nullcontext()


def stream(batches):
    """Nothing to do: Keras hands out NumPy batches as they are."""
    return batches, []


def spread(batch):
    """Nothing to do on one device."""
    return batch


class SeedGenerator(keras.random.SeedGenerator):
    """Keeps its state in the host's memory, whatever the device.

    PyTorch's generators are seeded by an integer, and a step would have to wait for a GPU to know
    it.
    """

    def __init__(self, *arguments, **options):
        with keras.device("cpu"):
            super().__init__(*arguments, **options)

    def next(self, ordered=True):
        if not ordered or in_stateless_scope():
            return super().next(ordered)
        drawn = self.state.value.clone()
        self.state.value[1] += 1
        return drawn


def random_state():
    """PyTorch's own random numbers on the CPU, as bytes: layers without a seed draw from them."""
    return torch.get_rng_state().numpy().tobytes()


def set_random_state(state):
    """Puts back what `random_state` returned."""
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
