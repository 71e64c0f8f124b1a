"""Runs an exported generator with NumPy and LiteRT alone, and draws what it makes.

    pip install numpy ai-edge-litert
    python examples/run_litert.py bundle/generator_int8.tflite

Writes samples.pgm (grey) or samples.ppm (colour), 8 by 8 images, which any image viewer opens, from
the latents of `gan.generate(64, seed=0)`. A TFLite file takes batches of one size, by default 1.
For a file of precision int8_io, quantise its input first: that is what `kgan.export.load` does.
"""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

run = Interpreter(sys.argv[1]).get_signature_runner("serving_default")
latent = run.get_input_details()["latent"]
batch, *shape = latent["shape"]
if latent["dtype"] != np.float32:
    sys.exit("This file takes int8; export it with precision='int8' for float32.")

latents = np.random.default_rng(0).standard_normal((64, *shape), np.float32)
inputs = {"latent": latents}
if "label" in run.get_input_details():
    inputs["label"] = np.zeros(64, "int32")
images = np.concatenate(
    [
        run(**{name: array[start : start + batch] for name, array in inputs.items()})["image"]
        for start in range(0, 64, batch)
    ]
)  # (64, height, width, channels) in [-1, 1]

_, height, width, channels = images.shape
grid = images.reshape(8, 8, height, width, channels).swapaxes(1, 2)
grid = np.clip(np.rint((grid + 1) * 127.5), 0, 255).astype("uint8")
kind, suffix = ("P5", "pgm") if channels == 1 else ("P6", "ppm")
with open(f"samples.{suffix}", "wb") as file:
    file.write(f"{kind} {8 * width} {8 * height} 255\n".encode() + grid.tobytes())
print(f"Drew 64 images of {height} x {width}: samples.{suffix}")
