"""Saving of models by their constructor arguments, with all seeds."""

import inspect
import os
from typing import Any, Self

import keras
import numpy as np

from kgan import checks
from kgan.schedules import CountsSteps
from kgan.training import contract
from kgan.utils import files

COUNTS_STEPS = keras.saving.get_registered_name(CountsSteps)


def load(path, **options):
    """Loads a `.keras` file from any source, after checking its unpacked size.

    Args:
        path: the file.
        **options: as for `keras.saving.load_model`, whose safe mode stays as it is: on, unless the
            user has turned it off.

    Raises:
        ValueError: if it is not a regular file, is damaged or encrypted, or unpacks to far more
            than Keras writes; or if Keras cannot load it, whatever Keras raises then.
    """
    from kgan.export.untrusted import archives, escape

    archives.check(path)
    try:
        return keras.saving.load_model(path, **options)
    except Exception as error:  # a hostile configuration can raise anything
        said = str(error) if isinstance(error, (TypeError, ValueError)) else repr(error)
        first = escape.terminal(" ".join(said.split(". ")[0].split()))
        raise ValueError(f"Keras cannot load it: {first[:300]}") from error


class Serialization:
    """Makes a model saveable whose constructor stores each argument under its own name.

    Keras's own saving then has what it needs: the configuration of the networks, how the model was
    compiled, and the state of the seeds, so that training goes on as if it had never stopped.
    """

    trained_on = None  # the backend of the last `fit`

    def save(self, filepath: str | os.PathLike, overwrite: bool = True, **options: Any) -> None:
        """Saves as `keras.Model.save` does; a `.keras` file is written atomically.

        Args:
            filepath, overwrite, **options: as of `keras.Model.save`.

        Raises:
            OSError: if the file cannot be written; an older one is as it was.
        """
        name = str(filepath)
        if overwrite and name.endswith(".keras") and "://" not in name:
            with files.atomic(filepath) as unfinished:
                super().save(unfinished, **options)
        else:
            super().save(filepath, overwrite, **options)

    def get_config(self) -> dict[str, Any]:
        own = list(inspect.signature(type(self).__init__).parameters.values())[1:]
        config = {
            each.name: keras.saving.serialize_keras_object(getattr(self, each.name))
            for each in contract.named(own)
        }
        config["trained_on"] = self.trained_on
        return {**super().get_config(), **config, "seed": self.seed}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        trained_on = config.pop("trained_on", None)
        arguments = {
            name: keras.saving.deserialize_keras_object(value, custom_objects)
            if isinstance(value, list | tuple)
            or (isinstance(value, dict) and "class_name" in value)
            else value
            for name, value in config.items()
        }
        with checks.loading():
            model = cls(**arguments)
        model.trained_on = trained_on
        return model

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        arguments = {**self._compile_arguments, "metrics": self.score_metrics}
        return {
            name: _portable(keras.saving.serialize_keras_object(value))
            for name, value in arguments.items()
        }

    def settings(self) -> dict[str, Any]:
        """Returns the construction and compile settings, independent of training since.

        The rates in the optimizers' own configuration move with a `LearningRateScheduler`. Metrics
        change nothing in training and are left out.
        """
        if self._settings is None:
            settings = keras.saving.serialize_keras_object(self)
            settings.get("compile_config", {}).pop("metrics", None)
            settings["config"].pop("trained_on", None)
            self._settings = settings
        return self._settings

    def compile_from_config(self, config: dict[str, Any]) -> None:
        if config:
            with checks.loading():
                self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        self.save_averaging(store)
        # Keras leaves out the state of seed generators, without which neither the latents nor
        # the dropout masks after loading would be those of a run that never stopped.
        for i, seed in enumerate(self._seeds()):
            store[f"seed_{i}"] = seed
        # The configuration of a metric says how its network is built, but not its weights.
        saved: dict[int, str] = {}
        for name, network in self._measures.networks():
            first = saved.setdefault(id(network.model), name)
            if first != name:
                store[f"{name}_is"] = np.frombuffer(first.encode(), "uint8")
                continue
            for i, weight in enumerate(network.model.get_weights()):
                store[f"{name}_{i}"] = weight

    def load_own_variables(self, store: Any) -> None:
        self.load_averaging(store)
        for i, seed in enumerate(self._seeds()):
            seed.assign(store[f"seed_{i}"])
        stored, known = list(store.keys()), dict(self._measures.networks())
        for name, network in known.items():
            if not network.awaits_weights:
                continue  # it is the user's own, with the weights it has
            if f"{name}_is" in stored:
                first = np.asarray(store[f"{name}_is"]).tobytes().decode()
                network.model = known[first].model
            else:
                count = len(network.model.weights)
                network.model.set_weights([store[f"{name}_{i}"] for i in range(count)])
            network.awaits_weights = False
        kept = ("seed_", "metric_", "average_")
        names = [name for name in stored if not name.startswith(kept)]
        super().load_own_variables({name: store[name] for name in names})

    def _seeds(self):
        weights = {id(weight) for weight in self.weights}
        return [variable for variable in self.variables if id(variable) not in weights]


def _portable(config):
    """Names Keras's optimizers as all backends know them, and their schedules as they were given.

    On PyTorch Keras saves the names of its own PyTorch versions, which no other backend can use.
    """
    if isinstance(config, dict):
        if config.get("registered_name") == COUNTS_STEPS:
            return _portable(config["config"]["schedule"])  # `compile` lets it count steps anew
        config = {name: _portable(value) for name, value in config.items()}
        if str(config.get("module", "")).startswith("keras.src.backend.torch.optimizers"):
            config |= {"module": "keras.optimizers", "registered_name": None}
    return config
