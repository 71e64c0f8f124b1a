"""Ways to damage files: every field of JSON by kind, single bytes, archives."""

import copy
import json
import zipfile

DEEP = "[" * 300 + "]" * 300
MISSING = object()
VALUES = {
    "null": None,
    "true": True,
    "zero": 0,
    "negative": -7,
    "huge": 10**40,
    "beyond floats": 10**400,
    "float": 0.5,
    "nan": float("nan"),
    "infinity": float("inf"),
    "text": "no",
    "empty text": "",
    "control": "a\x1b[31m\x00\u202e`|<b>\n# x",
    "half a pair": "\ud800",
    "long": "x" * 5_000,
    "path": "../../etc/passwd",
    "list": [],
    "mixed list": [1, "a", None, {"b": []}],
    "dictionary": {},
    "other dictionary": {"name": 3, "value": "x", "": [[]]},
    "deep": json.loads(DEEP),
}


def of_json(content):
    """Yields a name and a mutated copy, for every place in JSON and every kind of value."""
    for path in [*_paths(content)]:
        name = ".".join(map(str, path)) or "all"
        for kind, value in VALUES.items():
            yield f"{name} = {kind}", _with(content, path, value)
        if path:
            yield f"{name} missing", _with(content, path, MISSING)
    yield "a name more", {**content, "more": 1} if isinstance(content, dict) else [*content, 1]


def of_text(text):
    """Yields a name and text that is no longer, or only just, JSON of the same content."""
    yield "cut", text[: len(text) // 2]
    yield "empty", ""
    yield "deep", "[" * 100_000
    yield "deep and closed", "[" * 100_000 + "]" * 100_000
    yield "deep dictionary", '{"a":' * 5_000 + "1" + "}" * 5_000
    yield "zero byte", "\x00" + text
    yield "twice", text + text
    yield "digits", "1" * 10_000


def texts(content):
    """Yields what a file of JSON may have become: mutated, or no longer JSON."""
    for _, mutated in of_json(content):
        yield json.dumps(mutated) + "\n"
    for _, text in of_text(json.dumps(content)):
        yield text


def flips(content, count, random):
    """Yields the place and the bytes with one of them changed, at places spread over all."""
    for start in range(count):
        low, high = start * len(content) // count, (start + 1) * len(content) // count
        place = int(random.integers(low, max(high, low + 1)))
        flipped = bytearray(content)
        flipped[place] ^= int(random.integers(1, 256))
        yield place, bytes(flipped)


def of_archive(path):
    """Damages a zip archive in place, one way after another; yields what was done."""
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for share in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(content[: int(share * len(content))])
        yield f"cut at {share}"
    path.write_bytes(b"")
    yield "empty"
    path.write_bytes(_encrypted(content))
    yield "encrypted"
    for name in members:
        _zip(path, {other: data for other, data in members.items() if other != name})
        yield f"without {name}"
        _zip(path, {**members, name: b"\x93NUMPY" + bytes(40)})
        yield f"{name} replaced"
        _zip(path, {**members, name: members[name][: len(members[name]) // 2]})
        yield f"{name} cut"
    _zip(path, {**members, "zeros": bytes(2**27)})
    yield "zeros"
    path.unlink()
    path.mkdir()
    yield "a folder"
    path.rmdir()
    path.write_bytes(content)


def bomb(path, size):
    """Writes an archive like a saved model, of a few bytes, that unpacks to `size` zeros."""
    chunk = min(size, 2**24)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("model.weights.h5", "w", force_zip64=True) as file:
            for _ in range(size // chunk):
                file.write(bytes(chunk))
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", "{}")


def _zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _encrypted(content):
    """Says of every member that it is encrypted, in both of its headers."""
    content = bytearray(content)
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(header)
        while place >= 0:
            content[place + offset] |= 1
            place = content.find(header, place + 4)
    return bytes(content)


def _paths(content, path=()):
    yield path
    items = ()
    if isinstance(content, dict):
        items = content.items()
    elif isinstance(content, list):
        items = [*enumerate(content)][:2]  # the others are alike
    for key, value in items:
        yield from _paths(value, (*path, key))


def _with(content, path, value):
    holder = {"all": copy.deepcopy(content)}
    place, last = holder, ("all", *path)[-1]
    for key in ("all", *path)[:-1]:
        place = place[key]
    place[last] = value
    if value is MISSING:
        del place[last]
    return holder["all"]
