"""Which networks go into which format and precision, and how near they stay to Keras?

    for backend in tensorflow jax torch; do
        KERAS_BACKEND=$backend python benchmarks/export_matrix.py --out results.json
    done

Each cell is an export with its proof: the largest error for float32, the peak signal-to-noise ratio
for the others, the reason in place of it where there is no such file. The networks are small and
untrained, but have moving statistics from 20 batches. Each backend adds its part to the file, and
the table shows all parts.
"""

import argparse
import json
import re
import time
from pathlib import Path

import keras
import numpy as np
from report import machine

import kgan.export
from kgan import networks

FORMATS = ("saved_model", "tflite", "onnx")
LATENT, CLASSES = 32, 10


def sequence_model():
    """A latent to 12 points of a path."""
    latent = keras.Input((LATENT,), name="latent")
    x = keras.layers.RepeatVector(12)(latent)
    x = keras.layers.LSTM(32, return_sequences=True)(x)
    return keras.Model(latent, keras.layers.Dense(2, name="path")(x))


def conditional(how):
    """A DCGAN that is told the class."""
    return networks.dcgan_generator((16, 16, 1), LATENT, 16, CLASSES, conditioning=how)


NETWORKS = {
    "MLP": lambda: networks.mlp_generator((8, 8, 1), LATENT),
    "DCGAN": lambda: networks.dcgan_generator((32, 32, 3), LATENT, 16),
    "conditional, embedding": lambda: conditional("concatenation"),
    "conditional, batch norm": lambda: conditional("conditional_batch_norm"),
    "ResNet": lambda: networks.resnet_generator((16, 16, 3), LATENT, 16),
    "ResNet critic, spectral norm": lambda: networks.resnet_discriminator((16, 16, 3), 16),
    "U-Net": lambda: networks.unet_generator((32, 32, 3), width=16),
    "CycleGAN ResNet": lambda: networks.cyclegan_generator((32, 32, 3), width=16, blocks=3),
    "LSTM": sequence_model,
}


def typical(model, count, random):
    """A batch of inputs that the model is made for: smooth images, latents, labels."""
    batch = {}
    for tensor in model.inputs:
        name, shape = tensor.name, (count, *tensor.shape[1:])
        if len(shape) == 4:
            coarse = random.uniform(-1, 1, (count, 4, 4, shape[-1])).astype("float32")
            batch[name] = keras.ops.convert_to_numpy(keras.ops.image.resize(coarse, shape[1:3]))
        elif "int" in tensor.dtype:
            batch[name] = random.integers(CLASSES, size=count).astype("int32")
        else:
            batch[name] = random.standard_normal(shape).astype("float32")
    return batch


def export(name, folder):
    """Exports one network in everything; returns a dictionary of entries by precision."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    model = NETWORKS[name]()
    for _ in range(20):
        model(list(typical(model, 32, random).values()), training=True)
    images = len(model.inputs[0].shape) == 4
    batch = typical(model, 200, random)
    options = {"calibration": [batch]} if images else {"samples": [typical(model, 20, random)]}
    started = time.perf_counter()
    try:
        report = kgan.export.export(
            model,
            folder / name.replace(" ", "_").replace(",", ""),
            FORMATS,
            kgan.export.formats.PRECISIONS,
            output_names=["output"],
            tolerance=1e-4 if images else 1e-5,
            **options,
        )
    except kgan.export.ExportError as error:
        report = error.report
        if report is None:
            raise
    seconds = time.perf_counter() - started
    keep = ("verdict", "reason", "max_error", "psnr", "bytes", "latency", "child_seconds")
    cells = {
        f"{each.format} {each.precision}": {key: getattr(each, key) for key in keep}
        for each in report.artefacts
    }
    return {"seconds": seconds, "cells": cells}


def table(results):
    """The Markdown table of all backends in the file."""
    backends = [key for key in ("tensorflow", "jax", "torch") if key in results]
    columns = list(
        dict.fromkeys(
            c for b in backends for r in results[b]["networks"].values() for c in r["cells"]
        )
    )
    lines = [
        "| network | backend | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for name in NETWORKS:
        for backend in backends:
            if name not in results[backend]["networks"]:
                continue
            cells, row = results[backend]["networks"][name]["cells"], []
            for column in columns:
                entry = cells.get(column)
                if entry is None:
                    row.append("")
                elif entry["verdict"] == "passed":
                    float32 = column.endswith("float32")
                    psnr = "same" if entry["psnr"] is None else f"{entry['psnr']:.0f} dB"
                    row.append(f"{entry['max_error']:.0e}" if float32 else psnr)
                else:
                    row.append(f"{entry['verdict']}: {short(entry['reason'])}")
            lines.append(f"| {name} | {backend} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def short(reason):
    """The part of a reason that counts in a cell."""
    judged = re.search(r"PSNR [\d.]+ dB|error [\d.e-]+", reason)
    return judged.group() if judged else re.split(r"[;\n]|\. ", reason)[0]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--out", type=Path, help="JSON file to add to")
    parser.add_argument("--folder", type=Path, default=Path("export_matrix"), help="for the files")
    arguments = parser.parse_args()
    backend = keras.backend.backend()
    results = {}
    if arguments.out and arguments.out.exists():
        results = json.loads(arguments.out.read_text())
    part = results.setdefault(backend, {"networks": {}})
    part["machine"] = machine()
    for name in arguments.only:
        part["networks"][name] = export(name, arguments.folder / backend)
        print(f"{name}: {part['networks'][name]['seconds']:.0f} s", flush=True)
        if arguments.out:
            arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
