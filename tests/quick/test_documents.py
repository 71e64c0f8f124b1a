"""The documents name what exists: functions and their arguments, commands, files, headings."""

import ast
import importlib
import inspect
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

import kgan
from kgan.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), ROOT / "kgan" / "backend" / "README.md"]
    if ".venv" not in path.parts
]
PACKAGES = ("kgan", "keras")
MODELS = [kgan.GAN, kgan.ConditionalGAN, kgan.ACGAN, kgan.Pix2Pix, kgan.CycleGAN]


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.M | re.S)


def every(language):
    found = [(path, block) for path in DOCUMENTS for block in blocks(path, language)]
    assert len(found) > 1  # the pattern finds them at all
    return [pytest.param(block, id=f"{path.name}-{i}") for i, (path, block) in enumerate(found)]


def dotted(node):
    """The name that an expression such as `kgan.losses.Game` spells, or None."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return before and f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def found(name):
    package, *attributes = name.split(".")
    thing = importlib.import_module(package)
    for i, attribute in enumerate(attributes):
        if not hasattr(thing, attribute):  # a part that is imported only when asked for
            importlib.import_module(".".join([package, *attributes[: i + 1]]))
        thing = getattr(thing, attribute)
    return thing


@pytest.mark.parametrize("code", every("python"))
def test_names_and_arguments_of_python_exist(code):
    for node in ast.walk(ast.parse(code)):
        name = dotted(node)
        if name and name.split(".")[0] in PACKAGES:
            found(name)
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name and name.split(".")[0] == "kgan":
                signature = inspect.signature(found(name))
                positional = [None] * sum(not isinstance(a, ast.Starred) for a in node.args)
                keywords = {k.arg: None for k in node.keywords if k.arg}
                signature.bind_partial(*positional, **keywords)


def arguments_of(method):
    """The names that a method takes, in any of the models and in what it hands them on to."""
    functions = [
        vars(kind)[method] for model in MODELS for kind in model.__mro__ if method in vars(kind)
    ]
    assert functions, method
    if method == "export":
        functions.append(kgan.export.export)
    return {name for function in functions for name in inspect.signature(function).parameters}


def test_methods_of_a_gan_exist():
    called = {}
    for path in DOCUMENTS:
        for block in blocks(path, "python"):
            for node in ast.walk(ast.parse(block)):
                name = isinstance(node, ast.Call) and dotted(node.func)
                if name and re.fullmatch(r"gan\.\w+", name):
                    keywords = {keyword.arg for keyword in node.keywords}
                    called.setdefault(name.split(".")[1], set()).update(keywords)
    assert {"compile", "fit", "export"} <= set(called)
    text = "".join(path.read_text() for path in DOCUMENTS)
    called["generate"] -= set(re.findall(r'kgan\.Given\("(\w+)"', text))  # arguments by declaration
    for method, keywords in called.items():
        assert keywords <= arguments_of(method), method


def test_commands_and_their_options_exist():
    commands = get_command(app).commands
    lines = [
        line
        for path in DOCUMENTS
        for block in blocks(path, "bash")
        for line in block.splitlines()
        if line.startswith("kgan ")
    ]
    text = " ".join(" ".join(path.read_text().split()) for path in DOCUMENTS)
    lines += re.findall(r"`(kgan [a-z]+ [^`]*)`", text)
    assert len(lines) > 10
    for line in lines:
        _, command, *words = shlex.split(line, comments=True)
        assert command in commands or command == "COMMAND", line
        options = {o for p in commands.get(command, get_command(app)).params for o in p.opts}
        named = {word.split("=")[0] for word in words if word.startswith("--")} - {"--help"}
        assert named <= options, f"{line}: {named - options}"


def test_the_ten_lines_are_those_of_the_example():
    first = blocks(ROOT / "README.md", "python")[0].split("import keras, kgan\n")[1]
    assert first.strip() in (ROOT / "examples" / "ten_lines.py").read_text()


def slug(heading):
    """The anchor that a heading gets on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https://)([^)\s]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        there = (path.parent / file) if file else path
        assert there.exists(), target
        if anchor:
            outside = re.sub(r"^```.*?^```", "", there.read_text(), flags=re.M | re.S)
            headings = re.findall(r"^#+ (.*)$", outside, re.M)
            assert anchor in map(slug, headings), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_tests_named_exist(path):
    text = path.read_text()
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        if hasattr(kgan.GAN, name):
            continue
        assert f"def {name}(" in tests, name
    for name in re.findall(
        r"(?<!--out )\b((?:benchmarks|examples|tests)/[\w/]+\.(?:py|json))\b", text
    ):
        assert (ROOT / name).exists(), name
