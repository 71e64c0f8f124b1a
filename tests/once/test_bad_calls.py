"""No bad call is accepted without a word, ends obscurely or does not end: see `bad_calls.py`."""

import re

from conftest import ROOT


def test_bad_calls(python):
    """In a process of its own: many of them need fresh networks and a folder."""
    printed = python([ROOT / "tests" / "once" / "bad_calls.py"], "torch")
    *wrong, summary = printed.splitlines()
    assert not wrong, printed
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", summary)}
    assert counts["bad"] >= 1500
    assert counts["clear"] >= 1400
    assert counts["obscure"] == counts["accepted"] == counts["hanging"] == 0
