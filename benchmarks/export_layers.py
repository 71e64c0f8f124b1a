"""Which layers and operations of Keras travel into TFLite and ONNX?

    KERAS_BACKEND=torch python benchmarks/export_layers.py --out results.json

Each one is a model of its own, with random weights and moving statistics, exported in float32 with
the proof of values. Prints those that did not pass, with the reason.
"""

import argparse
import json
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from report import machine

import kgan.export

FORMATS = ("tflite", "onnx")
ACTIVATIONS = """
celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear
log_sigmoid log_softmax mish relu relu6 selu sigmoid silu softmax soft_shrink softplus softsign
sparse_plus sparsemax squareplus tanh tanh_shrink
""".split()  # noqa: SIM905
VECTOR, SEQUENCE, IMAGE, VOLUME = (12,), (8, 6), (12, 8, 4), (6, 6, 6, 2)


def _cell():
    return layers.StackedRNNCells([layers.LSTMCell(4), layers.GRUCell(4)])


LAYERS = {
    VECTOR: [
        layers.Dense(5),
        layers.EinsumDense("ab,bc->ac", 5),
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.RMSNormalization(),
        layers.UnitNormalization(),
        layers.SpectralNormalization(layers.Dense(5)),
        layers.PReLU(),
        layers.ELU(),
        layers.LeakyReLU(),
        layers.ReLU(max_value=6),
        layers.Softmax(),
        layers.RepeatVector(3),
        layers.Reshape((3, 4)),
        layers.Normalization(mean=0.5, variance=2.0),
        layers.Rescaling(2.0, 1.0),
        layers.Discretization([-1.0, 0.0, 1.0]),
        *map(layers.Activation, ACTIVATIONS),
    ],
    SEQUENCE: [
        layers.LSTM(4),
        layers.LSTM(4, return_sequences=True, go_backwards=True),
        layers.LSTM(4, unroll=True),
        layers.GRU(4),
        layers.GRU(4, reset_after=False, return_sequences=True),
        layers.SimpleRNN(4),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.RNN(_cell()),
        layers.TimeDistributed(layers.Dense(3)),
        layers.Conv1D(4, 3),
        layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
        layers.Conv1DTranspose(4, 3, strides=2),
        layers.SeparableConv1D(4, 3),
        layers.DepthwiseConv1D(3),
        layers.AveragePooling1D(2),
        layers.MaxPooling1D(2),
        layers.GlobalAveragePooling1D(),
        layers.GlobalMaxPooling1D(),
        layers.UpSampling1D(),
        layers.ZeroPadding1D(),
        layers.Cropping1D(),
        layers.Permute((2, 1)),
        layers.Flatten(),
    ],
    IMAGE: [
        layers.Conv2D(5, 3, strides=2, padding="same"),
        layers.Conv2D(5, 3, dilation_rate=2),
        layers.Conv2D(4, 3, groups=2),
        layers.Conv2DTranspose(5, 4, strides=2, padding="same"),
        layers.Conv2DTranspose(5, 3, strides=2, padding="same", output_padding=1),
        layers.Conv2DTranspose(5, 3, padding="valid"),
        layers.Conv2DTranspose(5, 3, dilation_rate=2),
        layers.DepthwiseConv2D(3),
        layers.SeparableConv2D(5, 3),
        layers.SpectralNormalization(layers.Conv2D(5, 3)),
        layers.AveragePooling2D(2),
        layers.AveragePooling2D(3, padding="same"),
        layers.MaxPooling2D(2),
        layers.AdaptiveAveragePooling2D(2),
        layers.AdaptiveMaxPooling2D(2),
        layers.GlobalAveragePooling2D(),
        layers.GlobalMaxPooling2D(keepdims=True),
        layers.UpSampling2D(),
        layers.UpSampling2D(interpolation="bilinear"),
        layers.UpSampling2D(interpolation="bicubic"),
        layers.Resizing(7, 9),
        layers.Resizing(24, 16, interpolation="nearest"),
        layers.CenterCrop(5, 5),
        layers.ZeroPadding2D(2),
        layers.Cropping2D(1),
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.GroupNormalization(2),
        layers.GroupNormalization(-1),
        layers.PReLU(shared_axes=(1, 2)),
        layers.SpatialDropout2D(0.5),
        layers.GaussianNoise(1.0),
        layers.ConvLSTM1D(4, 3),
        kgan.layers.InstanceNormalization(),
        kgan.layers.ReflectionPadding2D(1),
        kgan.layers.SpectralNormalization(layers.Conv2D(5, 3)),
    ],
    VOLUME: [
        layers.Conv3D(3, 3),
        layers.Conv3DTranspose(3, 3, strides=2),
        layers.MaxPooling3D(2),
        layers.AveragePooling3D(2),
        layers.UpSampling3D(),
        layers.ZeroPadding3D(),
        layers.ConvLSTM2D(3, 3),
        layers.BatchNormalization(),
    ],
}

ELEMENTWISE = """
abs arctan arcsinh ceil cos cosh erf exp expm1 floor isfinite negative relu round rsqrt sigmoid
sign sin sinh softplus sqrt square tan tanh trunc
""".split()  # noqa: SIM905


def _inverse(x):
    squares = ops.matmul(ops.transpose(x, (0, 2, 1)), x)
    return ops.inv(squares + 9 * ops.eye(6))


def _standardise(x):
    deviation = ops.std(x, (1, 2), keepdims=True)
    return (x - ops.mean(x, (1, 2), keepdims=True)) / (1 + deviation)


def _space_to_depth(x):
    x = ops.transpose(ops.reshape(x, (-1, 6, 2, 4, 2, 4)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, 6, 4, 16))


OPERATIONS = {
    **{name: (VECTOR, getattr(ops, name)) for name in ELEMENTWISE},
    "argmax": (VECTOR, lambda x: ops.argmax(x, axis=-1)),
    "arctan2": (VECTOR, lambda x: ops.arctan2(x, x + 1)),
    "argsort": (VECTOR, lambda x: ops.argsort(x)),
    "broadcast_to": (VECTOR, lambda x: ops.tile(x[:, None], (1, 3, 1))),
    "clip": (VECTOR, lambda x: ops.clip(x, -1, 1)),
    "concatenate": (VECTOR, lambda x: ops.concatenate([x, 2 * x], -1)),
    "cumsum": (VECTOR, lambda x: ops.cumsum(x, axis=-1)),
    "cumprod": (VECTOR, lambda x: ops.cumprod(x, axis=-1)),
    "einsum": (SEQUENCE, lambda x: ops.einsum("bij,bkj->bik", x, x)),
    "erfinv": (VECTOR, lambda x: ops.erfinv(ops.tanh(x) * 0.9)),
    "fft": (VECTOR, lambda x: ops.fft((x, ops.zeros_like(x)))[0]),
    "flip": (IMAGE, lambda x: ops.flip(x, axis=1)),
    "floor_divide": (VECTOR, lambda x: x // 0.3),
    "linalg.inv": (SEQUENCE, _inverse),
    "linalg.norm": (SEQUENCE, lambda x: ops.norm(x, axis=-1)),
    "logaddexp": (VECTOR, lambda x: ops.logaddexp(x, 1.0)),
    "logsumexp": (VECTOR, lambda x: ops.logsumexp(x, axis=-1)),
    "matmul": (SEQUENCE, lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1)))),
    "max": (IMAGE, lambda x: ops.max(x, axis=(1, 2))),
    "mean": (IMAGE, lambda x: ops.mean(x, axis=(1, 2))),
    "median": (VECTOR, lambda x: ops.median(x, axis=-1)),
    "mod": (VECTOR, lambda x: ops.mod(x, 0.7)),
    "moments": (IMAGE, lambda x: ops.moments(x, axes=(1, 2))[1]),
    "moveaxis": (IMAGE, lambda x: ops.moveaxis(x, -1, 1)),
    "one_hot": (VECTOR, lambda x: ops.one_hot(ops.argmax(x, axis=-1), 12)),
    "pad, reflected": (IMAGE, lambda x: ops.pad(x, ((0, 0), (1, 1), (2, 2), (0, 0)), "reflect")),
    "pad, symmetric": (IMAGE, lambda x: ops.pad(x, ((0, 0), (1, 1), (2, 2), (0, 0)), "symmetric")),
    "power": (VECTOR, lambda x: ops.power(ops.abs(x) + 0.1, 1.7)),
    "prod": (VECTOR, lambda x: ops.prod(x, axis=-1)),
    "roll": (VECTOR, lambda x: ops.roll(x, 2, axis=-1)),
    "sort": (VECTOR, lambda x: ops.sort(x)),
    "split": (VECTOR, lambda x: ops.split(x, 3, axis=-1)[1]),
    "stack": (VECTOR, lambda x: ops.stack([x, -x], axis=1)),
    "standardise": (IMAGE, _standardise),
    "take": (VECTOR, lambda x: ops.take(x, np.array([3, 1, 1]), axis=-1)),
    "top_k": (VECTOR, lambda x: ops.top_k(x, 3)[0]),
    "var": (IMAGE, lambda x: ops.var(x, axis=-1)),
    "where": (VECTOR, lambda x: ops.where(x > 0, x, -2 * x)),
    "space to depth": (IMAGE, _space_to_depth),
}


def models():
    """Yields names and models of one layer or operation each."""
    for shape, those in LAYERS.items():
        for layer in those:
            options = {k: v for k, v in layer.get_config().items() if isinstance(v, (int, str))}
            detail = options.get("activation") if type(layer) is layers.Activation else ""
            name = f"{type(layer).__name__} {detail}".strip()
            x = keras.Input(shape, name="x")
            yield name, keras.Model(x, layer(x), name="model")
    for name, (shape, function) in OPERATIONS.items():
        x = keras.Input(shape, name="x")
        yield f"ops.{name}", keras.Model(x, function(x), name="model")
    x = [keras.Input(SEQUENCE, name=name) for name in ("first", "second")]
    for layer in (
        layers.Add(), layers.Subtract(), layers.Multiply(), layers.Average(), layers.Maximum(),
        layers.Minimum(), layers.Concatenate(), layers.Dot(axes=(2, 2)), layers.Attention(),
        layers.AdditiveAttention(), layers.MultiHeadAttention(2, 4),
        layers.GroupQueryAttention(4, 4, 2),
    ):  # fmt: skip
        merge = type(layer).__name__
        merged = layer(*x) if "Query" in merge or "Head" in merge else layer(x)
        yield merge, keras.Model(x, merged, name="model")


def export(model, folder):
    """Returns "passed" or the first line of the reason, by format."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    batch = [random.standard_normal((64, *x.shape[1:])).astype("float32") for x in model.inputs]
    for _ in range(5):
        model(batch, training=True)
    try:
        kgan.export.export(model, folder, FORMATS, output_names=["y"])
    except kgan.export.ExportError as error:
        if error.report is None:
            return dict.fromkeys(FORMATS, f"refused: {error}")
        return {
            each.format: "passed" if each.passed else f"{each.verdict}: {each.reason}"
            for each in error.report.artefacts
        }
    return dict.fromkeys(FORMATS, "passed")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="JSON file")
    parser.add_argument("--missing", action="store_true", help="leave out what is in --out already")
    arguments = parser.parse_args()
    results = {}
    if arguments.missing:
        results = json.loads(arguments.out.read_text())["layers"]
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, model) in enumerate(models()):
            key = f"{name} ({number})"
            if key in results:
                continue
            results[key] = export(model, Path(folder) / str(number))
            short = {form: reason.splitlines()[0][:120] for form, reason in results[key].items()}
            if set(short.values()) != {"passed"}:
                print(key, short, flush=True)
            if arguments.out:
                content = {"machine": machine(), "layers": results}
                arguments.out.write_text(json.dumps(content, indent=1) + "\n")
    for form in FORMATS:
        passed = sum(each[form] == "passed" for each in results.values())
        print(f"{form}: {passed} of {len(results)} passed")


if __name__ == "__main__":
    main()
