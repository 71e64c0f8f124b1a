"""What the examples of all formats in a model card have in common."""

import json


def quoted(text):
    """A string of Python and of JavaScript."""
    return json.dumps(text, ensure_ascii=False)


def feed(artefact):
    """Lines of Python that make `inputs`: an array of zeros for each input of an `Artefact`."""
    lines = [
        f"    {quoted(each.name)}: np.zeros({(artefact.batch_size or 1, *each.shape)}, "
        f"{quoted(each.dtype)}),"
        for each in artefact.inputs
    ]
    return "\n".join(["inputs = {", *lines, "}"])
