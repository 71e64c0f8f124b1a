"""Runs an exported generator with NumPy and onnxruntime alone, and draws what it makes.

    pip install numpy onnxruntime
    python examples/run_onnx.py bundle/generator.onnx

Writes samples.pgm (grey) or samples.ppm (colour), 8 by 8 images, which any image viewer opens. The
images are those of `gan.generate(64, seed=0)`; of a conditional generator, row i is of class i.
"""

import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
about = session.get_modelmeta().custom_metadata_map
print(f"Trained with Keras {about['keras_version']} on {about['training_backend']}")

latent, *label = session.get_inputs()
inputs = {"latent": np.random.default_rng(0).standard_normal((64, *latent.shape[1:]), np.float32)}
if label:
    inputs["label"] = np.repeat(np.arange(8, dtype="int32"), 8) % int(about["num_classes"])
(images,) = session.run(["image"], inputs)  # (64, height, width, channels) in [-1, 1]

_, height, width, channels = images.shape
grid = images.reshape(8, 8, height, width, channels).swapaxes(1, 2)
grid = np.clip(np.rint((grid + 1) * 127.5), 0, 255).astype("uint8")
kind, suffix = ("P5", "pgm") if channels == 1 else ("P6", "ppm")
with open(f"samples.{suffix}", "wb") as file:
    file.write(f"{kind} {8 * width} {8 * height} 255\n".encode() + grid.tobytes())
print(f"Drew 64 images of {height} x {width}: samples.{suffix}")
