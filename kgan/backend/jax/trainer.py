"""Values that survive a failed call on JAX.

Keras's JAX trainer takes the values out of the variables and lets each compiled step consume the
memory of the state it is given. Where a step does not return (an error while it is traced, in the
data, in a callback, or an interrupt after it was sent off), nothing is left of either. So here the
first step of a run is given copies, and the values themselves are kept until they are replaced.
"""

import contextlib

import jax
import jax.numpy as jnp

GROUPS = (
    "trainable_variables",
    "non_trainable_variables",
    "optimizer_variables",
    "metrics_variables",
)


def _whatever_is_raised(verb):
    """A verb of `keras.Model` after which the variables have values, whatever it has raised."""

    def call(self, *arguments, **options):
        try:
            return getattr(super(Trainer, self), verb)(*arguments, **options)
        except BaseException:
            self.jax_state_sync()
            raise

    call.__name__ = verb
    return call


class Trainer:
    """For a `keras.Model`: whatever is raised in a verb, its variables have values afterwards.

    These are the newest that can be read: those after the last whole step, or those with which
    the epoch (or the call) began.
    """

    _jax_state = None

    fit = _whatever_is_raised("fit")
    evaluate = _whatever_is_raised("evaluate")
    predict = _whatever_is_raised("predict")
    train_on_batch = _whatever_is_raised("train_on_batch")
    test_on_batch = _whatever_is_raised("test_on_batch")
    predict_on_batch = _whatever_is_raised("predict_on_batch")

    def _get_jax_state(self, purge_model_variables=False, **groups):
        self._put_back_what_is_newer()
        self._jax_state = None
        state = super()._get_jax_state(purge_model_variables=False, **groups)
        names = [name for name in GROUPS if groups.get(name)]
        # Past Keras's own __setattr__, which would track them as variables of the model.
        vars(self)["_originals"] = dict(zip(names, state, strict=True))
        if purge_model_variables:
            self._purge_model_variables(**groups)
        return _copied(state)

    def jax_state_sync(self):
        self._put_back_what_is_newer()
        if not self._jax_state_synced:
            if not _readable(self._jax_state):
                self._jax_state = vars(self).get("_originals")
            super().jax_state_sync()
        self._jax_state, self._jax_state_synced = None, True
        vars(self).pop("_originals", None)

    def _put_back_what_is_newer(self):
        """Keras takes the state of a step for put back if something else did so before its end.

        Such as a `generate` in the stream that the step reads.
        """
        if self._jax_state_synced and self._jax_state is not None:
            self._jax_state_synced = False
            self.jax_state_sync()


@contextlib.contextmanager
def kept(model):
    """A context in which an error leaves the values of any `keras.Model` as they were."""
    variables = model.variables
    values = _copied([variable.value for variable in variables])
    try:
        yield
    except BaseException:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        model._jax_state, model._jax_state_synced = None, True
        raise


@jax.jit
def _copied(state):
    return jax.tree.map(jnp.copy, state)


def _readable(state):
    """Whether there is a state whose memory no step has consumed and no failed step has spoiled."""
    leaves = [leaf for group in (state or {}).values() for leaf in group]
    try:
        return bool(leaves) and not any(leaf.is_deleted() for leaf in leaves) and _done(leaves)
    except RuntimeError:
        return False


def _done(leaves):
    jax.block_until_ready(leaves)
    return True
