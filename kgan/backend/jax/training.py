"""JAX: functions are pure, so state goes in and out of every step and of every recorded call."""

import contextlib
import functools
import itertools

import jax
import jax.numpy as jnp
import keras


def step(method):
    """Gives the stateful `method(self, data)` the stateless signature of Keras's JAX trainer.

    For the time of the step one scope stands in for the storage of every variable.
    """

    @functools.wraps(method)
    def stateless(self, state, data):
        groups = [self.trainable_variables, self.non_trainable_variables, self.metrics_variables]
        if len(state) == 4:  # training carries the optimizers along, evaluation does not
            groups.insert(2, self.optimizer.variables)
        variables, values = itertools.chain(*groups), itertools.chain(*state)
        with keras.StatelessScope(_pairs(variables, values)) as scope, self.native_calls.in_use():
            logs = method(self, data)
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)

    return stateless


def vjp(model, function, *, variables=(), inputs=(), pulls=1):
    """Calls `function(*inputs)` and returns its outputs with their pullback.

    `function` becomes pure for the call: a scope of its own holds all state (a nested scope does
    not fall through to the outer one), and what it changed comes out beside the outputs.
    """
    state = _state(model)
    values = [variable.value for variable in state]

    def pure(sources, inputs):
        scope = keras.StatelessScope(_pairs(state, values) + _pairs(variables, sources))
        before = [scope.get_current_value(variable) for variable in state]
        with scope:
            outputs = function(*inputs)
        after = [scope.get_current_value(variable) for variable in state]
        changes = {i: new for i, new in enumerate(after) if new is not before[i]}
        return outputs, changes

    outputs, pullback, changes = jax.vjp(
        pure, [variable.value for variable in variables], list(inputs), has_aux=True
    )
    for i, value in changes.items():
        state[i].assign(value)
    return outputs, pullback


def input_gradient(model, function, x):
    """Returns the gradient of `sum(function(x))` for `x`, itself differentiable."""
    state = _state(model)
    values = [variable.value for variable in state]

    def pure(x):
        with keras.StatelessScope(_pairs(state, values)):
            return function(x).sum()

    return jax.grad(pure)(x)


def value_and_input_gradient(model, function, x):
    """Returns `function(x)` and the gradient of its sum for `x`, itself differentiable.

    State that the call changes stays changed.
    """
    outputs, pullback = vjp(model, function, inputs=(x,))
    _, (gradient,) = pullback(jnp.ones_like(outputs))
    return outputs, gradient


def update(optimizer, gradients, variables):
    """Lets the optimizer change the variables.

    Through `stateless_apply`: the stateful `apply` of a LossScaleOptimizer assigns inside
    `ops.cond`, where a tracer would leak.
    """
    new_variables, new_state = optimizer.stateless_apply(
        [variable.value for variable in optimizer.variables],
        gradients,
        [variable.value for variable in variables],
    )
    for variable, value in _pairs([*variables, *optimizer.variables], [*new_variables, *new_state]):
        variable.assign(value)


def dry_run(model, function):
    """Traces `function()` for the errors and names it shows, without computing anything."""

    def traced(values):
        with keras.StatelessScope(_pairs(_state(model), values)):
            function()

    jax.eval_shape(traced, [variable.value for variable in _state(model)])


def spectator(model, function):
    """Returns a function of `function`'s arguments that gives what it gives and keeps no state."""

    @jax.jit
    def pure(values, inputs):
        with keras.StatelessScope(_pairs(_state(model), values)):
            return function(*inputs)

    def watch(*inputs):
        sync(model)
        return pure([variable.value for variable in _state(model)], inputs)

    return watch


def sync(model):
    """Puts the values that the trainer holds during an epoch back into the variables."""
    model.jax_state_sync()


def devices(model):
    """Returns how many devices share a batch."""
    distribution = keras.distribution.distribution()
    return distribution.num_model_replicas if distribution else 1


def scope(model):
    """Nothing to do: Keras lays out every variable as the distribution in force says."""
    return contextlib.nullcontext()


def stream(batches):
    """Nothing to do: Keras hands out NumPy batches as they are."""
    return batches, []


def spread(batch):
    """Shares a batch that a step has made itself among the devices, like the batches of `fit`.

    Otherwise XLA lets every device compute all of it.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return batch
    layout = distribution.get_data_layout(batch.shape)
    return keras.distribution.distribute_tensor(batch, layout)


SeedGenerator = keras.random.SeedGenerator


def random_state():
    """Nothing: every random number comes from a seed that the model holds."""
    return b""


def set_random_state(state):
    """Nothing to do, see `random_state`."""


def _state(model):
    """Every variable that a loss may read."""
    return model.variables + model.metrics_variables + model.optimizer.variables


def _pairs(variables, values):
    return list(zip(variables, values, strict=True))
