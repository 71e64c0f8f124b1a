"""Does any export give a wrong file without a word? Random models, each exported and proven.

    KERAS_BACKEND=torch python benchmarks/export_random.py --count 200 --out results.json

Hypothesis draws stacks of two to eight common layers, with one or two inputs, branches that join
again, several outputs now and then, trained-looking statistics, and weights from small to large.
Each is exported to TFLite and ONNX in float32 and dynamic range or float16. A file that passed is
run once more, on inputs that the export has not seen, and compared here by NumPy: "wrong" counts
those which differ from Keras by more than ten times the tolerance. "Refused" are those for which
the export gave a reason.
"""

import argparse
import collections
import json
import tempfile
import traceback
from pathlib import Path

import hypothesis
import keras
import numpy as np
from hypothesis import strategies as st
from keras import layers
from report import machine

import kgan.export
from kgan.layers import InstanceNormalization, ReflectionPadding2D

TOLERANCE = 1e-4
activations = st.sampled_from(
    ["relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu", "elu", "softplus"]
)
widths = st.integers(1, 12)
flags = st.booleans()


def normalised(draw, x):
    kind = draw(st.sampled_from(["batch", "layer", "rms", "none"]))
    if kind == "batch":
        return layers.BatchNormalization(scale=draw(flags), center=draw(flags))(x)
    return {
        "layer": layers.LayerNormalization,
        "rms": layers.RMSNormalization,
        "none": lambda: layers.Activation("linear"),
    }[kind]()(x)


def dense(draw, x):
    return layers.Dense(draw(widths), use_bias=draw(flags), activation=draw(activations))(x)


def activated(draw, x):
    return layers.Activation(draw(activations))(x)


def dropped(draw, x):
    return layers.Dropout(0.5)(x)


def joined(draw, x):
    other = layers.Activation(draw(activations))(x)
    how = draw(st.sampled_from([layers.Add, layers.Multiply, layers.Concatenate, layers.Maximum]))
    return how()([x, other])


def convolution(draw, x):
    size, stride = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    options = {
        "strides": stride,
        "padding": "same",
        "use_bias": draw(flags),
        "activation": draw(activations),
    }
    kind = draw(st.sampled_from(["plain", "transposed", "depthwise", "separable"]))
    if kind == "depthwise":
        return layers.DepthwiseConv2D(size, **options)(x)
    make = {
        "plain": layers.Conv2D,
        "transposed": layers.Conv2DTranspose,
        "separable": layers.SeparableConv2D,
    }
    if kind == "transposed" and max(x.shape[1:3]) > 24:
        options["strides"] = 1
    return make[kind](draw(widths), size, **options)(x)


def resampled(draw, x):
    small = min(x.shape[1:3]) < 4
    kinds = ["up", "up, smooth", "pad", *([] if small else ["max", "average", "crop", "mirror"])]
    kind = draw(st.sampled_from(kinds if max(x.shape[1:3]) <= 24 else kinds[2:]))
    return {
        "up": lambda: layers.UpSampling2D(),
        "up, smooth": lambda: layers.UpSampling2D(interpolation="bilinear"),
        "pad": lambda: layers.ZeroPadding2D(1),
        "max": lambda: layers.MaxPooling2D(2),
        "average": lambda: layers.AveragePooling2D(2),
        "crop": lambda: layers.Cropping2D(1),
        "mirror": lambda: ReflectionPadding2D(1),
    }[kind]()(x)


def image_normalised(draw, x):
    kind = draw(st.sampled_from(["instance", "group"]))
    return (InstanceNormalization() if kind == "instance" else layers.GroupNormalization(1))(x)


def recurrent(draw, x):
    kind = draw(st.sampled_from([layers.LSTM, layers.GRU, layers.SimpleRNN]))
    return kind(draw(widths), return_sequences=True)(x)


def along(draw, x):
    return layers.Conv1D(draw(widths), 3, padding="same", activation=draw(activations))(x)


def attention(draw, x):
    return layers.MultiHeadAttention(2, 3)(x, x)


COMMON = [normalised, dense, activated, dropped, joined]
STEPS = {
    1: COMMON,
    2: [*COMMON, recurrent, along, attention],
    3: [*COMMON, convolution, convolution, convolution, resampled, image_normalised],
}


@st.composite
def models(draw):
    """A functional model of common layers."""
    rank = draw(st.sampled_from([1, 2, 3, 3]))
    sizes = st.integers(3, 10)
    shape = tuple(draw(sizes) for _ in range(rank))
    x = inputs = keras.Input(shape, name="x")
    inputs = [inputs]
    if draw(st.integers(0, 4)) == 0:
        inputs.append(keras.Input(shape, name="second"))
        x = layers.Concatenate()(inputs)
    outputs = []
    for _ in range(draw(st.integers(2, 8))):
        rank = len(x.shape) - 1
        x = draw(st.sampled_from(STEPS[rank]))(draw, x)
        if rank > 1 and draw(st.integers(0, 9)) == 0:
            x = layers.Flatten()(x)
        if not outputs and draw(st.integers(0, 9)) == 0:
            outputs.append(layers.Activation("tanh", name="aside")(x))
    outputs.append(layers.Activation(draw(st.sampled_from(["tanh", "linear"])), name="y")(x))
    model = keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0], name="model")
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    scale = draw(st.sampled_from([0.1, 1.0, 1.0, 3.0]))
    for weight in model.trainable_weights:
        weight.assign(scale * np.asarray(weight) + 0.1 * random.standard_normal(weight.shape))
    for _ in range(3):
        model([random.standard_normal((16, *each.shape[1:])) for each in inputs], training=True)
    return model


def describe(model):
    return [f"{type(layer).__name__} {tuple(layer.output.shape[1:])}" for layer in model.layers]


def difference(model, file):
    """The largest between a file and Keras on new inputs, relative to an output above 1."""
    random = np.random.default_rng(99)
    batch = {
        x.name: random.standard_normal((3, *x.shape[1:])).astype("float32") for x in model.inputs
    }
    runtime = kgan.export.load(file)
    told = runtime(**batch)
    told = list(told.values()) if isinstance(told, dict) else [told]
    expected = keras.tree.flatten(model(list(batch.values()), training=False))
    expected = [keras.ops.convert_to_numpy(each) for each in expected]
    return max(
        float(np.max(np.abs(a - b))) / max(1.0, float(np.max(np.abs(b))))
        if np.isfinite(a).all()
        else np.inf
        for a, b in zip(told, expected, strict=True)
    )


def judge(model, folder):
    """Exports a model; returns what became of each file as `{file: [verdict, reason]}`."""
    try:
        report = kgan.export.export(
            model, folder, ("tflite", "onnx"), ("float32", "dynamic_range", "float16"),
            tolerance=TOLERANCE, timeout=120,
        )  # fmt: skip
    except kgan.export.ExportError as error:
        if error.report is None:
            return {"all": ["refused", str(error)]}
        report = error.report
    verdicts = {}
    for each in report.artefacts:
        if not each.passed:
            verdicts[each.file] = ["refused", f"{each.verdict}: {each.reason}"]
            continue
        verdicts[each.file] = ["passed", ""]
        if each.precision == "float32":
            error = difference(model, Path(folder) / each.file)
            if not error < 10 * TOLERANCE:
                verdicts[each.file] = ["wrong", f"differs by {error:.1e} on new inputs"]
    return verdicts


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file")
    arguments = parser.parse_args()
    found = []
    counts = collections.Counter()

    @hypothesis.settings(
        max_examples=arguments.count,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.seed(arguments.seed)
    @hypothesis.given(models())
    def each(model):
        with tempfile.TemporaryDirectory() as folder:
            try:
                verdicts = judge(model, folder)
            except Exception:
                verdicts = {"all": ["crashed", traceback.format_exc()]}
        counts.update(f"{name}: {verdict}" for name, (verdict, _) in verdicts.items())
        bad = {name: entry for name, entry in verdicts.items() if entry[0] != "passed"}
        found.append({"layers": describe(model), "verdicts": verdicts})
        for name, (verdict, reason) in bad.items():
            print(f"{len(found)} {name} {verdict}: {reason.splitlines()[0][:150]}", flush=True)
        if arguments.out:
            content = {"machine": machine(), "seed": arguments.seed, "models": found}
            arguments.out.write_text(json.dumps({**content, "counts": counts}, indent=1) + "\n")

    each()
    print(
        f"{len(found)} models",
        *(f"{name} {count}" for name, count in sorted(counts.items())),
        sep="\n",
    )


if __name__ == "__main__":
    main()
