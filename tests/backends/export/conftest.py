"""The layers and models of tests/export, in these tests and in the converter's process."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "export"))
