"""The model card of a bundle: what is in it, how to run it, and how near to Keras it is.

Names and values from files are escaped, so that none becomes a heading, a link or code.

All of it follows from `export_report.json`.
"""

from kgan.export import formats
from kgan.export.untrusted.escape import markdown, markdown_code

FILE = "model_card.md"
# Told elsewhere in the card, the same in Netron and the like, or what only machines read.
_ELSEWHERE = {
    "inputs",
    "outputs",
    "source_sha256",
    "precision",
    "converter_versions",
    "batch_size",
    "int8",
    "sealed",
}


def text(report):
    """The card of a whole report, an `ExportReport` of all that is in the folder."""
    return "\n\n".join(_sections(report)) + "\n"


def _sections(report):
    passed = [artefact for artefact in report.artefacts if artefact.passed]
    models = {}
    for artefact in passed:
        signature = (artefact.source_sha256, artefact.inputs, artefact.outputs)
        models.setdefault(signature, []).append(artefact)
    yield "# Model card"
    if len(models) > 1:
        yield f"{len(models)} models or trainings are in this folder."
    for artefacts in models.values():
        yield from _model(artefacts, alone=len(models) == 1)
    yield "## How near to the Keras model"
    header, *rows = report.rows()
    yield "\n".join(map(_markdown, [header, ["---"] * len(header), *rows]))
    yield (
        "Max error: the largest difference, over max(1, largest expected value), and over ten for "
        "inputs ten times as large as usual, since rounding grows with them. PSNR: peak "
        "signal-to-noise ratio of the worst sample, the peak being the span of the Keras model's "
        'outputs; "same": no bit differs. Median and 90th percentile of a call\'s time, and the '
        "Keras model's median, when this was exported. `kgan verify .` in this folder repeats the "
        "comparison; it finds damage, not forgery, since nothing here is signed."
    )
    yield "\n".join(_compared(artefact) for artefact in passed)
    reasons = [
        f"- {markdown_code(each.file)}: {markdown(each.reason)}"
        for each in report.artefacts
        if each.reason
    ]
    if reasons:
        yield "\n".join(reasons)


def _model(artefacts, alone):
    files = ", ".join(markdown_code(each.file) for each in artefacts)
    if not alone:
        yield f"## {files}"
    first = artefacts[0]
    yield _tensors("Input", first.inputs) + "\n" + _tensors("Output", first.outputs)
    facts = {key: value for key, value in first.metadata.items() if key not in _ELSEWHERE}
    lines = [
        f"- {markdown(key.replace('_', ' '))}: {markdown(_text(value))}"
        for key, value in facts.items()
        if value not in (None, "", [], {})
    ]
    if "num_classes" in first.metadata and any(each.name == "label" for each in first.inputs):
        lines.append(
            f"- labels: integers in [0, {first.metadata['num_classes']}); the runtimes do not "
            "check that, `kgan.export.load` does"
        )
    yield "\n".join(lines)
    narrow = [line for each in artefacts for line in _of_its_own(each)]
    if narrow:
        yield "\n".join(narrow)
    yield f"{'##' if alone else '###'} How to run it"
    for kind, language, code in _examples():
        those = [each for each in artefacts if each.format == kind]
        # One for files that take and give the promised dtypes, one for those with int8.
        for of_int8 in (False, True):
            chosen = [each for each in those if bool(_scales(each)) == of_int8]
            if chosen:
                yield f"```{language}\n{code(chosen[0])}\n```"


def _examples():
    """The examples of all formats: files before folders, Python before other languages."""
    every = [
        (bool(not module.SUFFIX), language != "python", module.NAME, language, code)
        for module in formats.modules()
        for language, code in module.EXAMPLES.items()
    ]
    return [each[2:] for each in sorted(every)]


def _of_its_own(artefact):
    """What is true of one file alone."""
    if artefact.batch_size:
        yield f"- {markdown_code(artefact.file)}: batch is {artefact.batch_size}"
    for name, scale in _scales(artefact).items():
        zero = scale["zero_point"]
        shifted = f"(int8 {'+' if zero < 0 else '-'} {abs(zero)})"
        factor = f"{scale['scale']:.9g}"
        file, name = markdown_code(artefact.file), markdown_code(name)
        yield f"- {file}: {name} is int8; its value is {shifted} * {factor}"


def _scales(artefact):
    return artefact.metadata.get("int8", {})


def _compared(artefact):
    sizes = ", ".join(map(str, artefact.batch_sizes))
    told = (
        f"- {markdown_code(artefact.file)} was judged on "
        f"{markdown(', '.join(artefact.compared_on))} inputs, in batches of {sizes}"
    )
    if not artefact.latency:
        return told
    batch, threads = (artefact.latency[name] for name in ("batch", "threads"))
    return f"{told}; timed with a batch of {batch}, {threads} threads"


def _tensors(side, tensors):
    return "\n".join(f"- {side}: {markdown_code(tensor)}" for tensor in tensors)


def _text(value):
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _markdown(row):
    return "| " + " | ".join(map(markdown, row)) + " |"
