"""Keras's Adam by PyTorch's fused kernel: one pass over the weights in place of nine."""

import contextlib

import torch

from kgan.backend.native import enabled, private

Adam = private("keras.src.backend.torch.optimizers.torch_adam", "Adam")
KERNEL = getattr(torch, "_fused_adam_", None)


@contextlib.contextmanager
def fused(optimizer):
    """A context in which an optimizer that is Keras's Adam updates in one pass.

    Only the arithmetic is replaced: clipping, weight decay, loss scale, accumulation, averages and
    constraints stay with Keras, around it.
    """
    adam = getattr(optimizer, "inner_optimizer", optimizer)
    if type(adam) is not Adam or adam.amsgrad or KERNEL is None or not enabled():
        yield
        return
    vars(adam)["_parallel_update_step"] = lambda *arguments: _update(adam, *arguments)
    try:
        yield
    finally:
        del vars(adam)["_parallel_update_step"]


def _update(adam, gradients, variables, learning_rate):
    """Keras's formula: PyTorch's, with both corrections of the bias within the learning rate."""
    indices = [adam._get_variable_index(variable) for variable in variables]
    state = [
        [_in_memory_order(variable.value) for variable in kind]
        for kind in (
            variables,
            [adam._momentums[index] for index in indices],
            [adam._velocities[index] for index in indices],
        )
    ]
    # PyTorch's kernel takes the numbers as they lie in memory, whatever the strides.
    if not all(each.is_contiguous() for kind in state for each in kind):
        Adam._parallel_update_step(adam, gradients, variables, learning_rate)
        return
    weights, momentums, velocities = state
    gradients = [_in_memory_order(gradient).contiguous() for gradient in gradients]
    step = (adam.iterations.value + 1).to(weights[0].dtype)
    rate = torch.as_tensor(getattr(learning_rate, "value", learning_rate), dtype=step.dtype)
    rate = rate * torch.sqrt(1 - adam.beta_2**step) / (1 - adam.beta_1**step)
    KERNEL(
        weights,
        gradients,
        momentums,
        velocities,
        [],
        # After so many steps PyTorch's own corrections are one.
        [torch.full_like(rate, 1e9)] * len(weights),
        lr=rate,
        beta1=adam.beta_1,
        beta2=adam.beta_2,
        weight_decay=0.0,
        eps=adam.epsilon,
        amsgrad=False,
        maximize=False,
    )


def _in_memory_order(tensor):
    """A kernel that `lay_out` has ordered, seen in that order; any other tensor as it is."""
    return tensor.permute(3, 0, 1, 2) if tensor.dim() == 4 else tensor
