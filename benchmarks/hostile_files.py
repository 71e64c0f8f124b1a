"""Files that were damaged or made to harm: what of it is found, and what it costs.

    KERAS_BACKEND=torch python benchmarks/hostile_files.py

A small GAN is trained, saved, exported to every format and reported on. Then

- one byte of each kind of file is changed, 60 times at places spread over all of it: either the
  change is found, or the file does what it did before, or (which must not be) something else;
- every field of every JSON file is replaced by values of other kinds, and the text is cut and
  nested; archives are cut, encrypted, emptied and filled with zeros: each ends well or in a
  `ValueError` of kgan, never in another error;
- archives that unpack to a gigabyte are refused, and the memory that takes is measured.

Writes `benchmarks/results/hostile_files.json`; two minutes on a CPU, Linux alone.
"""

import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np

import kgan
import kgan.export
from kgan.export import VerificationError, model_card, report
from kgan.export.compare import samples
from kgan.export.signature import ModelSpec
from kgan.report.page import page
from kgan.report.run import read
from kgan.training import serialization

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
import mutations  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "hostile_files.json"
FLIPS = 60
FOUND, AS_BEFORE, OTHER = "found", "as before", "other, without a word"
REFUSED, READ = "refused with a clear error", "read"
BOMB = 2**30


def make(folder):
    """A run with a saved GAN, a bundle of every format, scores, warnings and pictures."""
    keras.utils.set_random_seed(0)
    gan = kgan.GAN(
        kgan.networks.dcgan_generator((8, 8, 1), latent_dim=4, width=4),
        kgan.networks.dcgan_discriminator((8, 8, 1), width=4),
        seed=0,
    )
    gan.compile(ema=0.9)
    images = np.tanh(np.random.default_rng(0).normal(size=(32, 8, 8, 1))).astype("float32")
    log = keras.callbacks.CSVLogger(str(folder / "log.csv"))
    pictures = kgan.callbacks.SampleGrid(folder / "samples", count=4)
    gan.fit(images, batch_size=16, epochs=2, verbose=0, callbacks=[log, pictures])
    gan.save(folder / "gan.keras")
    gan.export(folder / "bundle", ("onnx", "tflite", "saved_model"))
    protocol = {"measure": "FrechetDistance", "model": "gan.keras", "samples": 32}
    texts = {
        "settings.json": {"data": "digits", "seed": "0", "versions": {"kgan": "0.1.0"}},
        "scores.json": {"frechet_distance": {"value": 1.5, "protocol": protocol}},
        "warnings.jsonl": {"epoch": 1, "rule": "collapse", "text": "alike", "remedies": "R1"},
    }
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content) + "\n")
    return texts


def flip_all(folder):
    """How many of 60 changed bytes of each kind of file are found."""
    bundle, random = folder / "bundle", np.random.default_rng(0)
    latents = random.normal(size=(4, 4)).astype("float32")

    def run(path):
        images = kgan.export.load(path)(latents)
        return lambda: images

    def generate(path):
        return lambda: serialization.load(path).generate(4, seed=1)

    def verify(path):
        kgan.export.verify(bundle / "generator.onnx")
        return lambda: np.zeros(1)

    model = bundle / "generator_saved_model"
    kinds = {
        "ONNX": ([bundle / "generator.onnx"], lambda _: run(bundle / "generator.onnx")),
        "TFLite": ([bundle / "generator.tflite"], lambda _: run(bundle / "generator.tflite")),
        "SavedModel": (sorted(p for p in model.rglob("*") if p.is_file()), lambda _: run(model)),
        "saved GAN, .keras": ([folder / "gan.keras"], generate),
        "samples of a bundle": ([bundle / "generator.onnx.samples.npz"], verify),
        "report of a bundle": ([bundle / "export_report.json"], verify),
    }
    found = {}
    for kind, (paths, use) in kinds.items():
        before = use(paths[0])()
        counts = dict.fromkeys((FOUND, AS_BEFORE, OTHER), 0)
        for number, path in enumerate(paths):
            content = path.read_bytes()
            share = FLIPS // len(paths) + (number < FLIPS % len(paths))
            for _, flipped in mutations.flips(content, share, random):
                path.write_bytes(flipped)
                try:
                    same = np.array_equal(use(path)(), before)
                    counts[AS_BEFORE if same else OTHER] += 1
                except (ValueError, VerificationError):
                    counts[FOUND] += 1
            path.write_bytes(content)
        found[kind] = counts
        print(kind, counts, flush=True)
    return found


def mutate_all(folder, texts):
    """How the readers of each file end, over all mutations of it."""
    written = folder / "bundle" / "export_report.json"
    first = json.loads(written.read_text())
    first["artefacts"] = first["artefacts"][:1]
    del first["sha256"]
    entry = first["artefacts"][0]
    spec = ModelSpec.from_json(entry)
    kept = folder / "bundle" / entry["samples"]

    def read_report():
        found = report.read(written)
        return str(found) + model_card.text(found)

    def read_run():
        text = page(read(folder))
        text.encode()
        if "Could not be read" in text:
            raise ValueError("named on the page")

    ends = {}
    ends["report of a bundle"] = _ends(written, _texts(written, first), read_report)
    for name, content in texts.items():
        path = folder / name
        ends[f"{name}, of a run"] = _ends(path, _texts(path, content), read_run)
    ends["samples of a bundle"] = _ends(
        kept, mutations.of_archive(kept), lambda: samples.load(kept, spec)
    )
    gan = folder / "gan.keras"
    ends["saved GAN, archive"] = _ends(
        gan, mutations.of_archive(gan), lambda: serialization.load(gan)
    )
    for name, counts in ends.items():
        print(name, counts, flush=True)
    return ends


def _texts(path, content):
    for text in mutations.texts(content):
        path.write_text(text)
        yield


def _ends(path, mutated, use):
    before = path.read_bytes()
    counts = {REFUSED: 0, READ: 0, "another error": 0}
    for _ in mutated:
        try:
            use()
            counts[READ] += 1
        except ValueError:
            counts[REFUSED] += 1
        except Exception as error:
            print(f"{path.name}: {error!r}")
            counts["another error"] += 1
    path.write_bytes(before)
    return counts


def bombs(folder):
    """Megabytes that the process grew by as it refused archives of a gigabyte of zeros."""
    path = folder / "bomb.keras"
    mutations.bomb(path, BOMB)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _peak()
    refused = 0
    for use in (
        serialization.load,
        lambda p: samples.load(p, None),
        kgan.metrics.protocol.file_hash,
    ):
        try:
            use(path)
        except ValueError:
            refused += 1
    grown = round(_peak() - before, 1)
    return {"bytes": path.stat().st_size, "readers": 3, "refused": refused, "MB grown": grown}


def _peak():
    """The most memory that this process has had, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main():
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Path(folder) / "made"
        made.mkdir()
        texts = make(made)
        copy = shutil.copytree(made, Path(folder) / "copy")
        results = {
            "bombs": bombs(copy),
            "flips": flip_all(copy),
            "mutations": mutate_all(copy, texts),
        }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results["bombs"]))


if __name__ == "__main__":
    main()
