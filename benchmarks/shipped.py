"""What do narrow files of a trained generator cost: in size, time, likeness and Fréchet distance?

    python benchmarks/shipped.py --out benchmarks/results/shipped.json

Conditional GANs of MNIST and Fashion-MNIST, with the recipe of `conditional.py` (concatenation in
the generator, projection in the discriminator), are exported in every format and precision. Each
file draws the same 10,000 images; a classifier trained on real images alone says whether they are
still of the class asked for, and the Fréchet and kernel distances to the 10,000 test images are in
its features. Latencies are those of the export report: one image at a time, beside the Keras model
in the same minute.
"""

import argparse
import json
import tempfile
from pathlib import Path

import keras
import numpy as np
from conditional import CLASSES, SAMPLES, build, train
from report import machine

import kgan
import kgan.export

KIND = "projection"
ASKED = np.arange(SAMPLES, dtype="int32") % CLASSES


def scores(images, real, classifier, features):
    """Returns the share named as asked, and both distances to real images."""
    named = classifier.predict(images, batch_size=500, verbose=0).argmax(-1)
    found = {"as_asked": float(np.mean(named == ASKED))}
    for metric in (kgan.metrics.FrechetDistance(features), kgan.metrics.KernelDistance(features)):
        metric.update_state(real, images)
        value = metric.result()
        found[metric.name] = keras.tree.map_structure(float, value)
        found.setdefault("protocol", metric.protocol)
    return found


def rows(name, arguments):
    """Trains on one set and returns a row for Keras and for each file."""
    source = {"data_dir": arguments.data_dir, "download": arguments.data_dir is None}
    images, labels = kgan.data.tfds(name, **source)
    real = kgan.data.tfds(name, "test", **source)[0]
    classifier = kgan.metrics.train_classifier(images, labels, epochs=8)
    features = keras.Model(classifier.inputs, classifier.layers[-3].output)
    gan = build(KIND, images.shape[1:], arguments.width, 0)
    seconds = train(gan, images, labels, arguments.steps)
    print(f"{name}: trained in {seconds:.0f} s", flush=True)
    whole = gan.generate(SAMPLES, ASKED, seed=0)
    yield {"file": "Keras", **scores(whole, real, classifier, features)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        formats = ("saved_model", "tflite", "onnx")
        # Measured however far they are from the default bounds of 50 and 30 dB.
        bounds = {"float16_psnr": 0.0, "int8_psnr": 0.0}
        report = gan.export(path, formats, precision=kgan.export.formats.PRECISIONS, **bounds)
        for artefact in report.artefacts:
            row = {
                "file": f"{artefact.format}, {artefact.precision}",
                "bytes": artefact.bytes,
                "psnr": artefact.psnr,
                "max_error": artefact.max_error,
                "latency": artefact.latency,
                "seconds": artefact.seconds,
                "child_seconds": artefact.child_seconds,
            }
            if artefact.format != "saved_model":  # which needs TensorFlow to run
                made = kgan.export.load(path / artefact.file).sample(SAMPLES, 0, ASKED)
                row |= scores(made, real, classifier, features)
                row["largest_difference"] = float(np.abs(made - whole).max())
            yield row


def table(name, entries):
    """Returns the rows of a set as a Markdown table."""
    files = {entry["file"]: entry for entry in entries}
    size = files["tflite, float32"]["bytes"]
    time = files["tflite, float32"]["latency"]["median_ms"]
    lines = [
        "",
        f"{name}\n",
        "| file | of float32's size | of its time | of Keras's time | PSNR | as asked "
        "| Fréchet distance | kernel distance |",
        "|---" * 8 + "|",
    ]
    for entry in entries:
        cells = [entry["file"], *[""] * 4]
        if "bytes" in entry:
            latency = entry["latency"]
            cells[1:] = [
                f"{entry['bytes'] / size:.2f}",
                f"{latency['median_ms'] / time:.2f}",
                f"{latency['median_ms'] / latency['keras_median_ms']:.2f}",
                "same" if entry["psnr"] is None else f"{entry['psnr']:.1f} dB",
            ]
        if "as_asked" in entry:
            cells += [
                f"{entry['as_asked']:.2%}",
                f"{entry['frechet_distance']:.3f}",
                str(entry["kernel_distance"]),
            ]
        else:
            cells += ["", "", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", nargs="+", default=["mnist", "fashion_mnist"], help="TFDS names")
    parser.add_argument("--steps", type=int, default=3_000, help="default 3,000")
    parser.add_argument("--width", type=int, default=32, help="of the networks (default 32)")
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its sets")
    parser.add_argument("--out", type=Path, help="JSON with every row")
    arguments = parser.parse_args()
    settings = {"steps": arguments.steps, "width": arguments.width}
    results = {"machine": machine(), "backend": keras.backend.backend(), **settings, "sets": {}}
    for name in arguments.set:
        entries = results["sets"][name] = []
        for entry in rows(name, arguments):
            entries.append(entry)
            print(entry["file"], entry.get("frechet_distance", ""), flush=True)
            if arguments.out:
                arguments.out.write_text(json.dumps(results, indent=1, default=str) + "\n")
    for name, entries in results["sets"].items():
        print(table(name, entries))


if __name__ == "__main__":
    main()
