"""How fast is an exported DCGAN, against Keras and against its PyTorch twin's own export?

    KERAS_BACKEND=tensorflow python benchmarks/export_latency.py --out results.json

One generator (64 pixels, width 64, untrained) is exported by kgan, once as users get it and once
without folding batch normalisation; the same weights in plain PyTorch are exported with
`torch.onnx.export(dynamo=True)`. All answer a batch of 1 in turns, on equally many threads, after
it is checked that they give the same image. A ratio is taken within a round; reported is its median
with the lowest and highest. Needs the extra `export`, torch, and for the twin onnxscript.
"""

import argparse
import collections
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import torch
from report import cell, machine, spread
from torch import nn

import kgan.export

NARROW = ("dynamic_range", "int8")
BLIND = """
import sys
from kgan.export import folding, worker
folding.fold = lambda model: model
worker.main(sys.argv[1])
"""


class Twin(nn.Module):
    """The Keras DCGAN generator with the same weights, written in PyTorch."""

    def __init__(self, generator):
        super().__init__()
        dense, *parts = [layer for layer in generator.layers if layer.weights]
        kernel = torch.tensor(np.asarray(dense.kernel))
        self.first = nn.Linear(*kernel.shape, bias=False)
        self.first.weight.data = kernel.T.contiguous()
        self.shape = tuple(parts[0].input.shape[1:])
        stack = []
        for layer in parts:
            if isinstance(layer, keras.layers.BatchNormalization):
                stack += [self._norm(layer), nn.ReLU()]
            else:
                stack.append(self._transposed(layer))
        self.rest = nn.Sequential(*stack, nn.Tanh())

    def _norm(self, layer):
        norm = nn.BatchNorm2d(len(np.asarray(layer.gamma)), eps=layer.epsilon)
        pairs = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean"}
        pairs["running_var"] = "moving_variance"
        for mine, theirs in pairs.items():
            getattr(norm, mine).data = torch.tensor(np.asarray(getattr(layer, theirs)))
        return norm

    def _transposed(self, layer):
        kernel = torch.tensor(np.asarray(layer.kernel)).permute(3, 2, 0, 1).contiguous()
        inputs, outputs = kernel.shape[:2]
        new = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=layer.use_bias)
        new.weight.data = kernel
        if layer.use_bias:
            new.bias.data = torch.tensor(np.asarray(layer.bias))
        return new

    def forward(self, latent):
        x = self.first(latent).unflatten(1, self.shape).permute(0, 3, 1, 2)
        return self.rest(x).permute(0, 2, 3, 1)


def exported_twin(generator, path, latent):
    """Writes the twin's own ONNX file."""
    twin = Twin(generator).eval()
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        twin,
        (torch.tensor(np.repeat(latent, 2, axis=0)),),
        path,
        dynamo=True,
        input_names=["latent"],
        output_names=["image"],
        dynamic_shapes=({0: batch},),
        verbose=False,
    )


def contestants(generator, latent, folder, threads):
    """Functions of no arguments that return the image of one latent, ONNX files, TFLite's sizes."""
    import tensorflow as tf

    options = {"input_names": ["latent"], "output_names": ["image"], "name": "kgan"}
    precisions = ("float32", *NARROW)
    report = kgan.export.export(
        generator, folder / "kgan", ("onnx", "tflite"), precisions, int8_psnr=0.0, **options
    )
    usual = kgan.export.convert.launcher.COMMAND
    kgan.export.convert.launcher.COMMAND = (sys.executable, "-c", BLIND)
    kgan.export.export(generator, folder / "unfolded.onnx", **options)
    kgan.export.convert.launcher.COMMAND = usual
    exported_twin(generator, folder / "torch.onnx", latent)

    files = {
        "kgan ONNX": folder / "kgan" / "kgan.onnx",
        "kgan ONNX, not folded": folder / "unfolded.onnx",
        "PyTorch's ONNX of the twin": folder / "torch.onnx",
    }
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    sessions = {
        name: onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
        for name, file in files.items()
    }
    graph = tf.function(lambda x: generator(x, training=False))
    tensor = tf.constant(latent)
    litert = {
        each: kgan.export.load(folder / "kgan" / f"kgan{each and '_'}{each}.tflite", threads)
        for each in ("", *NARROW)
    }
    run = {
        name: lambda session=session: session.run(None, {"latent": latent})[0]
        for name, session in sessions.items()
    }
    for each, runtime in litert.items():
        run[f"kgan TFLite {each}".strip()] = lambda runtime=runtime: runtime(latent)
    run["tf.function"] = lambda: graph(tensor).numpy()
    run["model(x)"] = lambda: generator(tensor, training=False).numpy()
    run["model.predict(x)"] = lambda: generator.predict(latent, verbose=0)
    narrow = {
        each.precision: {"bytes": each.bytes, "psnr": each.psnr}
        for each in report.artefacts
        if each.format == "tflite"
    }
    return run, files, narrow


def measure(run, rounds, calls):
    """Seconds of a call, for each contestant a list with one mean a round."""
    seconds = {name: [] for name in run}
    random = np.random.default_rng(0)
    for number in range(rounds + 1):  # the first warms up
        for name in random.permutation(list(run)):
            started = time.perf_counter()
            for _ in range(calls):
                run[name]()
            if number:
                seconds[name].append((time.perf_counter() - started) / calls)
    return seconds


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=10, help="of each contestant in a round")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if keras.backend.backend() != "tensorflow":
        parser.error("tf.function is one of the contestants: set KERAS_BACKEND=tensorflow")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    torch.set_num_threads(arguments.threads)
    keras.utils.set_random_seed(0)
    generator = kgan.networks.dcgan_generator((64, 64, 3), 100, arguments.width)
    for _ in range(20):
        generator(keras.random.normal((16, 100)), training=True)
    latent = np.random.default_rng(0).standard_normal((1, 100), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        run, files, narrow = contestants(generator, latent, Path(folder), arguments.threads)
        images = {name: each() for name, each in run.items()}
        for name, image in images.items():
            if name.endswith(NARROW):
                continue
            error = np.abs(image - images["tf.function"]).max()
            assert error < 1e-5, (name, error)
        nodes = {
            name: dict(collections.Counter(node.op_type for node in onnx.load(file).graph.node))
            for name, file in files.items()
        }
        seconds = measure(run, arguments.rounds, arguments.calls)
    for each in NARROW:
        times, whole = (seconds[f"kgan TFLite {name}".strip()] for name in (each, ""))
        size = narrow[each]["bytes"] / narrow["float32"]["bytes"]
        ratio = cell(spread(times, whole))
        psnr = narrow[each]["psnr"]
        print(f"TFLite {each}: {size:.2f} of float32's size, {ratio} of its time, {psnr:.1f} dB")
    own = seconds["kgan ONNX"]
    print("| | ms | time over kgan's ONNX | nodes |\n|---|---|---|---|")
    for name, times in seconds.items():
        ratio = cell(spread(times, own)) if name != "kgan ONNX" else ""
        count = sum(nodes[name].values()) if name in nodes else ""
        print(f"| {name} | {1000 * statistics.median(times):.2f} | {ratio} | {count} |")
    if arguments.out:
        found = {"machine": machine(), "seconds": seconds, "nodes": nodes, "tflite": narrow}
        found["arguments"] = {k: str(v) for k, v in vars(arguments).items()}
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
