"""`run_model_test`: what every model can do, in one call, as Keras has `run_layer_test`."""

import keras
import numpy as np
from keras import ops

import kgan.export

EPOCH = {"batch_size": 8, "verbose": 0}


def run_model_test(make, data, folder, half="mixed_float16"):
    """Trains, evaluates, saves, loads, resumes and checks the export of a model.

    Args:
        make: a function without arguments that returns the model, compiled with `ema=` and with
            the same weights each time. Its class must be registered with Keras.
        data: what `fit` is given, a tuple of arrays of 16 samples or more.
        folder: where files may be written.
        half: the dtype policy of the run in half precision. Default: "mixed_float16".

    Raises:
        AssertionError: if the model cannot do one of them.
    """
    model, checkpoint = make(), folder / "checkpoint.keras"
    before = {player: weights_of(model, player) for player in model.players}
    history = model.fit(*data, **EPOCH, checkpoint=checkpoint).history
    for player in model.players:
        assert np.isfinite(history[f"{player}_loss"]).all(), player
        for path, value in weights_of(model, player).items():
            assert not np.array_equal(value, before[player][path]), path

    state = model.get_weights()
    logs = model.evaluate(*data, **EPOCH, return_dict=True)
    assert {f"{player}_loss" for player in model.players} <= set(logs)
    assert np.isfinite(list(logs.values())).all()
    assert_same(model.get_weights(), state)

    for network, average in zip(model.generators, model.averages, strict=True):
        assert not all(map(np.array_equal, network.get_weights(), average.get_weights()))

    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")
    assert type(loaded) is type(model)
    assert_same(loaded.get_weights(), state)  # the averages among them
    assert_same(made_by(loaded), made_by(model))
    for each in (model, loaded):
        each.fit(*data, **EPOCH)
    assert_same(loaded.get_weights(), model.get_weights())
    assert_same(made_by(loaded), made_by(model))

    never, resumed = make(), make()
    never.fit(*data, **EPOCH, epochs=2)
    resumed.fit(*data, **EPOCH, epochs=2, checkpoint=checkpoint)
    assert_same(resumed.get_weights(), never.get_weights())

    assert "Received" not in str(model.export(folder / "model.onnx", check=True))
    assert not (folder / "model.onnx").exists()

    keras.config.set_dtype_policy(half)
    rounded = make()
    keras.config.set_dtype_policy("float32")
    history = rounded.fit(*data, **EPOCH).history
    for player in model.players:
        assert np.isfinite(history[f"{player}_loss"]).all(), player
        assert (f"{player}_skipped_updates" in history) == (half == "mixed_float16")
    for made in made_by(rounded):
        assert made.dtype == "float32" and np.isfinite(made).all()


def run_export_test(make, data, folder, tolerance=1e-4):
    """Trains a model, exports it to ONNX, and compares what the file and the model make."""
    model = make()
    model.fit(*data, **EPOCH)
    both = is_translator(model) and len(model.generators) == 2
    ways = [{"direction": way} for way in ("ab", "ba")] if both else [{}]
    for way, expected in zip(ways, made_by(model), strict=True):
        file = folder / "".join(["model", *way.values(), ".onnx"])
        (artefact,) = model.export(file, **way).artefacts
        assert artefact.verdict == "passed" and 0 < artefact.max_abs_error <= tolerance
        run = kgan.export.load(file)
        if is_translator(model):
            found = run(pictures(model, **way))
        else:
            found = run.sample(3, seed=0, **given(model))
        np.testing.assert_allclose(found, expected, atol=tolerance)


def weights_of(model, player):
    """The trainable weights of a player by their path."""
    return {
        f"{network.name}/{variable.path}": ops.convert_to_numpy(variable).copy()
        for network in model.networks_of(player)
        for variable in network.trainable_variables
    }


def is_translator(model):
    return hasattr(model, "translate")


def pictures(model, direction="ab"):
    """Images that a translator takes."""
    network = model.generators[0 if direction == "ab" else 1]
    shape = (3, *network.input_shape[1:])
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def given(model):
    """What the generator must be given, by name."""
    rng = np.random.default_rng(0)
    return {each.name: each.example(3, rng) for each in model.takes if not each.is_drawn}


def made_by(model):
    """What a model makes, the same each time: translations each way, or samples of a seed."""
    if not is_translator(model):
        return [model.generate(3, seed=0, **given(model))]
    if len(model.generators) == 1:
        return [model.translate(pictures(model))]
    return [model.translate(pictures(model, way), direction=way) for way in ("ab", "ba")]


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
