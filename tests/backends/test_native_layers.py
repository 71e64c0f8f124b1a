"""Native calls of layers beside Keras's own: values, gradients, second derivatives, state.

Options and shapes are drawn at random, the same ones each time.
"""

import importlib

import keras
import numpy as np
import pytest
from keras import layers, ops

from kgan import backend

BACKEND = keras.backend.backend()
TABLE = importlib.import_module(f"kgan.backend.{BACKEND}.layers")
DRAWS = 6 if BACKEND == "torch" else 3
ACTIVATIONS = (None, "relu", "tanh", "sigmoid", "softplus", "silu", "elu", "leaky_relu")

# What may stand between a native call and Keras, relative to the length of what Keras gives, or to
# one where that is short. In half precision it is the distance from float32 beyond twice that of
# Keras, which rounds in other places.
TOLERANCES = {"float32": 1e-4, "mixed_bfloat16": 0.02, "mixed_float16": 0.01}
# Where rounding takes a number to the other side of a kink, a whole gradient comes or goes, of the
# few hundred that there are.
AT_A_KINK = {"float32": 1e-4, "mixed_bfloat16": 0.2, "mixed_float16": 0.2}
KINKED = ("ReLU", "Max", "Minimum")

IMAGE, SEQUENCE, VOLUME, ROW = (7, 8, 4), (9, 4), (5, 6, 4, 2), (6,)
SHAPES = {"1D": SEQUENCE, "2D": IMAGE, "3D": VOLUME}


def options_of(kind, rng):
    """Returns the arguments of a layer and the shapes of its inputs."""

    def of(*options):
        return options[rng.integers(len(options))]

    def each(*options):
        return tuple(of(*options) for _ in range(rank))

    name = kind.__name__
    dimensions = next((key for key in SHAPES if key in name), "2D")
    rank, shape = int(dimensions[0]), SHAPES[dimensions]
    stem = name.replace(dimensions, "")
    moving = {"padding": of("same", "valid")}
    if of(True, False):
        moving |= {"strides": of(1, 2, 3), "dilation_rate": 1, "kernel_size": each(1, 2, 3, 4)}
    else:
        moving |= {"strides": 1, "dilation_rate": of(1, 2), "kernel_size": each(1, 2)}
    learned = {"use_bias": of(True, False), "activation": of(*ACTIVATIONS)}
    merged = [shape, shape]
    match stem:
        case "Conv":
            return {"filters": 4, "groups": of(1, 2), **moving, **learned}, [shape]
        case "ConvTranspose":
            return {"filters": of(2, 3), **moving, **learned}, [shape]
        case "DepthwiseConv":
            return {"depth_multiplier": of(1, 2), **moving, **learned}, [shape]
        case "SeparableConv":
            return {"filters": 3, "depth_multiplier": of(1, 2), **moving, **learned}, [shape]
        case "Dense":
            return {"units": of(1, 5), **learned}, [of(ROW, SEQUENCE)]
        case "Activation":
            return {"activation": of(*ACTIVATIONS)}, [of(IMAGE, ROW)]
        case "LeakyReLU":
            return {"negative_slope": of(0.0, 0.1, 0.3)}, [of(IMAGE, ROW)]
        case "ReLU":
            return of({}, {"max_value": 1.0}, {"negative_slope": 0.1}), [of(IMAGE, ROW)]
        case "BatchNormalization":
            options = {"momentum": of(0.8, 0.99), "epsilon": of(1e-3, 1e-5)}
            options |= {"center": of(True, False), "scale": of(True, False)}
            return options | {"axis": of(-1, 1)}, [of(IMAGE, SEQUENCE, VOLUME, ROW)]
        case "ConditionalBatchNormalization":
            return {"num_classes": 5, "momentum": 0.8, "epsilon": 1e-4}, [of(IMAGE, SEQUENCE), ()]
        case "LayerNormalization":
            return {"axis": of(-1, (1, 2, 3)), "epsilon": 1e-4}, [IMAGE]
        case "GroupNormalization":
            return {"groups": of(1, 2, -1)}, [IMAGE]
        case "InstanceNormalization":
            options = {"center": of(True, False), "scale": of(True, False)}
            return options | {"epsilon": of(1e-5, 1e-3)}, [of(IMAGE, SEQUENCE, VOLUME)]
        case "MaxPooling" | "AveragePooling":
            options = {"pool_size": each(1, 2, 3), "padding": of("same", "valid")}
            return options | {"strides": of(None, 1, 2)}, [shape]
        case "UpSampling":
            options = {"size": of(1, 2, 3) if rank == 1 else each(1, 2, 3)}
            if rank == 2:
                options["interpolation"] = of("nearest", "nearest", "bilinear")
            return options, [shape]
        case "ZeroPadding":
            return {"padding": of(1, 2)}, [shape]
        case "Cropping":
            return {"cropping": 1}, [shape]
        case "ReflectionPadding":
            return {"padding": each(0, 1, 2)}, [shape]
        case "Embedding":
            return {"input_dim": 5, "output_dim": 3}, [of((), (4,))]
        case "Add" | "Average" | "Maximum" | "Minimum" | "Multiply" | "Concatenate":
            return {}, [*merged, *([shape] if of(True, False) else [])]
        case "Subtract":
            return {}, merged
        case "Dot":
            return {"axes": 1}, [ROW, ROW]
        case "Reshape":
            return {"target_shape": of((-1, 4), (8, 7, 4), (14, 4, 4))}, [IMAGE]
        case "Permute":
            return {"dims": (3, 1, 2)}, [IMAGE]
        case "RepeatVector":
            return {"n": 3}, [ROW]
        case "Rescaling":
            return {"scale": 0.5, "offset": of(0.0, 0.3)}, [IMAGE]
        case "Dropout" | "AlphaDropout" | "GaussianDropout" | "SpatialDropout":
            return {"rate": of(0.2, 0.6), "seed": 1}, [shape]
        case "GaussianNoise":
            return {"stddev": 0.3, "seed": 1}, [IMAGE]
    return {}, [shape]


LACKING_HALF_PRECISION = (layers.AveragePooling3D,)


def kinds():
    every = {*TABLE.NATIVE, *getattr(TABLE, "PLAIN", ())}
    return sorted(every, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("precision", TOLERANCES)
@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_a_native_call_gives_what_keras_gives(kind, precision):
    if precision != "float32" and kind in LACKING_HALF_PRECISION:
        pytest.skip("PyTorch has no kernel for it in half precision on CPUs")
    rng = np.random.default_rng(0)
    for draw in range(DRAWS):
        options, shapes = options_of(kind, rng)
        exact, model = (network(kind, options, shapes, draw, p) for p in ("float32", precision))
        model.set_weights(exact.get_weights())
        calls = backend.native_calls(model)
        assert calls.calls, "Keras has moved what the native calls are found by"
        inputs = [example(tensor, rng) for tensor in model.inputs]
        for training in (True, False):
            by_keras = results(model, inputs, training)
            with calls.in_use():
                natively = results(model, inputs, training)
            reference = by_keras
            if precision != "float32":
                reference = results(exact, inputs, training)
            for name in by_keras:
                pair, wanted = (natively[name], by_keras[name]), reference[name]
                native, keras_own = (np.linalg.norm(found - wanted) for found in pair)
                smooth = name == "outputs" or not kinked(kind, options, draw)
                allowed = (TOLERANCES if smooth else AT_A_KINK)[precision] * max(
                    1, length(name, reference)
                )
                assert native <= 2 * keras_own + allowed, (name, training, options, shapes)


def kinked(kind, options, draw):
    """Whether a network has a kink: in the layer, in its activation, or in the LeakyReLU after."""
    function = getattr(options.get("activation"), "__name__", options.get("activation"))
    return (
        draw % 2
        or any(each in kind.__name__ for each in KINKED)
        or function in ("relu", "leaky_relu")
    )


def length(name, results):
    """Of a gradient as a whole: a part of it may be nothing but rounding, as before a norm."""
    kind = name.partition(" of ")[0]
    return np.linalg.norm([np.linalg.norm(x) for key, x in results.items() if key.startswith(kind)])


def network(kind, options, shapes, draw, precision):
    """A layer in a network in a model, after one that learns and perhaps one that overwrites."""
    keras.config.set_dtype_policy(precision)
    inputs = [
        keras.Input(shape, dtype="int32" if kind is layers.Embedding or shape == () else None)
        for shape in shapes
    ]
    x = [x if "int" in x.dtype else layers.Dense(x.shape[-1])(x) for x in inputs]
    x = kind(**options)(x if len(x) > 1 else x[0])
    if draw % 2:
        x = layers.LeakyReLU(0.3)(x)
    given = inputs if len(inputs) > 1 else inputs[0]
    model = keras.Model(given, keras.Model(given, x)(given))
    for i, variable in enumerate(model.trainable_variables):
        variable.assign(variable + keras.random.normal(variable.shape, stddev=0.3, seed=i))
    model.compile(optimizer="sgd")
    model.optimizer.build(model.trainable_variables)
    return model


def example(tensor, rng):
    shape = (5, *tensor.shape[1:])
    if "int" in tensor.dtype:
        return ops.convert_to_tensor(rng.integers(5, size=shape), "int32")
    return ops.convert_to_tensor(rng.normal(size=shape), tensor.dtype)


def results(model, inputs, training):
    """Outputs, all gradients, those of a gradient penalty, and the state afterwards, by name."""
    before = [ops.convert_to_numpy(variable) for variable in model.non_trainable_variables]
    variables = model.trainable_variables
    floats = [x for x in inputs if "int" not in str(x.dtype)]

    def forward(*floats):
        given = iter(floats)
        every = [x if "int" in str(x.dtype) else next(given) for x in inputs]
        return model(every if len(every) > 1 else every[0], training=training)

    outputs, pull = backend.vjp(model, forward, variables=variables, inputs=floats)
    cotangent = np.random.default_rng(1).normal(size=outputs.shape)
    weights, given = pull(ops.convert_to_tensor(cotangent, outputs.dtype))
    found = {"outputs": outputs}
    found |= {
        f"gradient of {i} {v.name}": g
        for i, (v, g) in enumerate(zip(variables, weights, strict=True))
    }
    found |= {f"gradient of input {i}": g for i, g in enumerate(given)}
    found |= {f"state {i} {v.name}": v.value for i, v in enumerate(model.non_trainable_variables)}
    found = {name: ops.convert_to_numpy(ops.cast(x, "float32")) for name, x in found.items()}
    if len(floats) == 1 and model.compute_dtype == "float32":

        def penalty():
            gradient = backend.input_gradient(
                model, lambda x: ops.sum(ops.square(forward(x))), floats[0]
            )
            return ops.sum(ops.square(gradient))

        value, pull = backend.vjp(model, penalty, variables=variables)
        weights, _ = pull(ops.ones_like(value))
        found["penalty"] = ops.convert_to_numpy(value)
        for i, (variable, gradient) in enumerate(zip(variables, weights, strict=True)):
            name = f"second derivative of {i} {variable.name}"
            found[name] = ops.convert_to_numpy(gradient)
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        variable.assign(value)
    return found
