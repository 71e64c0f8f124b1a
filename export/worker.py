"""The child process: the only place with TensorFlow. `python -m kgan.export.worker request.json`.

It rebuilds the model in float32 from its blueprint and converts it to every format asked for. A
crash here is an error there: the parent reads `response.json`, the exit code and the last lines.
"""

import json
import re
import sys
from pathlib import Path

from kgan.export import blueprint, formats, preflight
from kgan.export.spec import ModelSpec


def main(request_path):
    """Does what the request says; keeps `response.json` beside it at the stage it is in."""
    folder = Path(request_path).parent
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    stage = "starting"
    try:
        for stage in work(request, folder):
            _respond(folder, stage=stage)
    except Exception as error:
        _respond(folder, stage=stage, error=f"{type(error).__name__}: {error}")
        raise


def work(request, folder):
    """Rebuilds and converts; yields the name of each stage before it begins."""
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_image_data_format(request["image_data_format"])
    yield "importing the model's own classes"
    custom_objects = preflight.load_custom_objects(request["custom_objects"])
    yield "rebuilding the model in TensorFlow"
    config = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    model = blueprint.build(config, folder / "model.weights.h5", custom_objects)
    for layer in preflight.layers(model):
        # TensorFlow makes scopes of layer names and refuses, for example, spaces in them.
        layer.name = re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", layer.name)

    def infer(values):
        return keras.tree.flatten(blueprint.call(model, values))

    spec = ModelSpec.from_json(request["spec"])
    for artefact in request["artefacts"]:
        yield f"converting to {artefact['format']} ({artefact['precision']})"
        convert = formats.get(artefact["format"]).convert
        convert(infer, spec, artefact["path"], request["options"], request["metadata"])


def _respond(folder, **response):
    # Rewritten at every stage, because a crash leaves no time to say where it happened.
    (folder / "response.json").write_text(json.dumps(response), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
