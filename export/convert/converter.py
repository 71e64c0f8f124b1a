"""The child process that converts, with TensorFlow, which no parent on another backend imports.

It rebuilds the model in float32 from its blueprint and converts it to every format asked for. A
crash here is an error there: the parent reads `response.json`, the exit code and the last lines.
"""

import contextlib
import json
import re
import sys
import traceback
from pathlib import Path

from kgan.export import formats, preflight
from kgan.export.convert import custom_objects, folding, rebuild
from kgan.export.signature import ModelSpec
from kgan.export.untrusted import lifeline
from kgan.utils.files import write_text


def main(request_path):
    """Does what the request says; keeps `response.json` beside it at the stage it is in."""
    lifeline.end_with_parent()
    folder = Path(request_path).parent
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    response = {"stage": "starting", "failed": {}}
    try:
        work(request, folder, response)
    except Exception as error:
        response["error"] = f"{type(error).__name__}: {error}"
        with contextlib.suppress(OSError):  # a full disk, say, which then is the error itself
            _respond(folder, response)
        raise


def work(request, folder, response):
    """Rebuilds the model and converts it to each artefact.

    Args:
        request: dictionary with `spec`, `custom_objects`, `image_data_format`, `artefacts` (each
            with `name`, `format`, `precision`, `path` and `metadata` of its own), `options` and
            the `metadata` of all.
        folder: holds the blueprint, `model.json` and `model.weights.h5`.
        response: dictionary to keep up to date: `stage`, `artefact`, the one being converted, and
            `failed`, reasons by name.
    """

    def begin(stage, artefact=None):
        response.update(stage=stage, artefact=artefact)
        _respond(folder, response)

    begin("importing TensorFlow")
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_image_data_format(request["image_data_format"])
    begin("importing the model's own classes")
    own = custom_objects.load(request["custom_objects"])
    begin("rebuilding the model in TensorFlow")
    config = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    model = rebuild.build(config, folder / "model.weights.h5", own)
    for layer in preflight.layers(model):
        # TensorFlow makes scopes of layer names and refuses, for example, spaces in them.
        layer.name = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", layer.name)

    _use_plain_signs()
    model = folding.fold(model)
    spec = ModelSpec.from_json(request["spec"])
    for artefact in request["artefacts"]:
        stage = f"converting to {artefact['format']} ({artefact['precision']})"
        begin(stage, artefact["name"])
        convert = formats.get(artefact["format"]).convert
        place = (artefact["path"], artefact["precision"])
        metadata = {**request["metadata"], **artefact["metadata"]}
        try:
            convert(model, spec, *place, request["options"], metadata)
        except Exception as error:
            traceback.print_exc()
            cause = f"The converter failed while {stage}.\nCause: {type(error).__name__}: {error}"
            response["failed"][artefact["name"]] = cause
    begin("ending")


def _use_plain_signs():
    """Lets argmax be converted, in which Keras looks at bits to put -0.0 before 0.0.

    No format has operators for that. Only of several zeros that are all the largest the choice may
    be another.
    """
    from keras.src.backend.tensorflow import numpy

    numpy.signbit = lambda x: x < 0


def _respond(folder, response):
    # Rewritten at every stage, because a crash leaves no time to say where it happened.
    write_text(folder / "response.json", json.dumps(response))


if __name__ == "__main__":
    main(sys.argv[1])
