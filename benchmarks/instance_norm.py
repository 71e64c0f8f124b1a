"""What does an instance norm cost in an exported generator, and is the export worth it?

    KERAS_BACKEND=tensorflow python benchmarks/instance_norm.py --threads 1 --rounds 12 \
        --repeats 3 --out benchmarks/results/instance_norm.json

CycleGAN's generator at 128 px (6 blocks, width 64, one image at a time) as a `tf.function` in
TensorFlow, and exported to ONNX in onnxruntime: with `kgan.layers.InstanceNormalization`, without
any norm, and with Keras's GroupNormalization in its place, for which the nodes of the graphs are
counted too. All take turns, in a new order each round; ratios are taken within a round. On a
machine that is not quiet look at the processor's time, best with `--threads 1`.
"""

import argparse
import collections
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from report import busy_seconds, cell, machine, spread

import kgan
import kgan.export

KINDS = ("instance norm", "without norm", "group norm")
ORT, TENSORFLOW = "onnxruntime, ", "tf.function, "
COMPARED = {
    "tf.function over onnxruntime": (TENSORFLOW + KINDS[0], ORT + KINDS[0]),
    "with instance norm over without": (ORT + KINDS[0], ORT + KINDS[1]),
    "with group norm over without": (ORT + KINDS[2], ORT + KINDS[1]),
}
LAYOUT = ("Transpose", "Reshape", "Shape", "Cast")


def networks(size, width, blocks):
    """The generator with each kind of norm and equal convolutions. Scales and shifts are as after
    training: 1 and 0 would be folded away."""
    model = kgan.networks.cyclegan_generator((size, size, 3), width=width, blocks=blocks)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in ("gamma", "beta"):
            weight.assign(weight.numpy() + rng.normal(0, 0.1, weight.shape))

    def replaced(make):
        def clone(layer):
            if isinstance(layer, kgan.layers.InstanceNormalization):
                return make()
            return type(layer).from_config(layer.get_config())

        return keras.models.clone_model(model, clone_function=clone)

    without = replaced(lambda: keras.layers.Activation("linear"))
    group = replaced(lambda: keras.layers.GroupNormalization(groups=-1, epsilon=1e-5))
    for copy in (without, group):
        for source, target in zip(model.layers, copy.layers, strict=True):
            if target.weights:
                target.set_weights(source.get_weights())
    return dict(zip(KINDS, (model, without, group), strict=True))


def in_tensorflow(model):
    import tensorflow as tf

    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    function = tf.function(lambda image: model(image, training=False), input_signature=[signature])
    return lambda image: function(image).numpy()


def in_onnxruntime(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait in a busy loop would be counted as work, and disturb whoever comes next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def nodes(path):
    """How many nodes of each type a graph has."""
    import onnx

    return dict(collections.Counter(node.op_type for node in onnx.load(path).graph.node))


def measure(contestants, image, rounds, repeats):
    """What one image takes each contestant, in seconds of the clock and of the processor, one entry
    a round; and the cores that other work kept busy."""
    seconds, processor_seconds = ({name: [] for name in contestants} for _ in range(2))
    others = []
    for number in range(rounds):
        busy, processor, began = busy_seconds(), time.process_time(), time.perf_counter()
        for name in random.Random(number).sample(list(contestants), len(contestants)):
            run = contestants[name]
            run(image)  # what ran before leaves its threads waiting and the caches full
            start = time.perf_counter(), time.process_time()
            for _ in range(repeats):
                run(image)
            seconds[name].append((time.perf_counter() - start[0]) / repeats)
            processor_seconds[name].append((time.process_time() - start[1]) / repeats)
        if busy is not None:
            used = busy_seconds() - busy - (time.process_time() - processor)
            others.append(max(0, used / (time.perf_counter() - began)))
    return seconds, processor_seconds, others


def milliseconds(values):
    """A spread as it is shown in a table."""
    low, middle, high = (1e3 * f(values) for f in (min, statistics.median, max))
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=128, help="pixels a side (128)")
    parser.add_argument("--width", type=int, default=64, help="filters of the first layer (64)")
    parser.add_argument("--blocks", type=int, default=6, help="residual blocks (6)")
    parser.add_argument("--rounds", type=int, default=20, help="rounds (20)")
    parser.add_argument("--repeats", type=int, default=10, help="images a contestant a round (10)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each runtime (2)")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="keep every measurement here")
    options = parser.parse_args()
    if keras.backend.backend() != "tensorflow":
        parser.error("a tf.function takes part: set KERAS_BACKEND=tensorflow")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    models = networks(options.size, options.width, options.blocks)
    contestants = {TENSORFLOW + KINDS[0]: in_tensorflow(models[KINDS[0]])}
    counts, errors = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, model in models.items():
            path = Path(folder) / f"{kind.replace(' ', '_')}.onnx"
            # Only the first is ours to prove: a zero image through GroupNormalization differs more.
            tolerance = 1e-4 if kind == KINDS[0] else 0.1
            (artefact,) = kgan.export.export(model, path, tolerance=tolerance).artefacts
            counts[kind], errors[kind] = nodes(path), artefact.max_abs_error
            contestants[ORT + kind] = in_onnxruntime(path, options.threads)
    image = np.random.default_rng(1).uniform(-1, 1, (1, options.size, options.size, 3))
    seconds, processor_seconds, others = measure(
        contestants, image.astype("float32"), options.rounds, options.repeats
    )
    clocks = {"clock": seconds, "processor": processor_seconds}
    ratios = {
        name: {clock: spread(taken[a], taken[b]) for clock, taken in clocks.items()}
        for name, (a, b) in COMPARED.items()
    }

    print("| contestant | ms an image, median (lowest to highest) | of the processor |")
    print("|---|---|---|")
    for name in contestants:
        print(f"| {name} | {' | '.join(milliseconds(taken[name]) for taken in clocks.values())} |")
    print("\n| ratio | median (lowest to highest) | of the processor |\n|---|---|---|")
    for name, ratio in ratios.items():
        print(f"| {name} | {' | '.join(cell(ratio[clock]) for clock in clocks)} |")
    print(f"\n| graph | nodes | {' | '.join(LAYOUT)} | largest error |")
    print("|---|---|---|---|---|---|---|")
    for kind, count in counts.items():
        cells = " | ".join(str(count.get(each, 0)) for each in LAYOUT)
        print(f"| {kind} | {sum(count.values())} | {cells} | {errors[kind]:.1e} |")
    if others:
        busy, most = statistics.mean(others), max(others)
        print(f"\nOther work kept {busy:.1f} cores busy, {most:.1f} at most.")
    if options.out:
        settings = {key: value for key, value in vars(options).items() if key != "out"}
        result = {
            "machine": machine(),
            "settings": settings,
            "seconds": seconds,
            "processor_seconds": processor_seconds,
            "ratios": ratios,
            "nodes": counts,
            "max_abs_error": errors,
            "others": others,
        }
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
