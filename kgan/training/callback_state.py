"""Saves what callbacks know about the best epoch, for a run that continues after a crash."""

import io
import json
import numbers

import numpy as np

from kgan.export.untrusted import schema

KEPT = ("best", "best_epoch", "wait", "cooldown_counter")
_MEMORY = {**dict.fromkeys((f"{name}?" for name in KEPT), (int, float)), "best_weights?": str}


class Memories:
    """The memory of callbacks such as `ModelCheckpoint`, `EarlyStopping`, `ReduceLROnPlateau`.

    Keras resets them in each `fit`, also after its own `BackupAndRestore`. So the first epoch after
    a crash would count as the best, and replace a better saved model.

    Args:
        callbacks: callbacks of a `fit`; those with an attribute `best` are saved. A callback is
            identified by its class, its `monitor`, and its place among equal ones.
    """

    def __init__(self, callbacks):
        self.named, self.kept = {}, {}
        for callback in callbacks:
            if hasattr(callback, "best"):
                name = f"{type(callback).__name__} {getattr(callback, 'monitor', '')}"
                place = sum(other.startswith(f"{name} ") for other in self.named)
                self.named[f"{name} {place}"] = callback

    def write(self, file):
        """Adds their current memory to an open `zipfile.ZipFile`."""
        memories = {}
        for i, (name, callback) in enumerate(self.named.items()):
            values = {kept: getattr(callback, kept, None) for kept in KEPT}
            memories[name] = {
                kept: value.item() if hasattr(value, "item") else value
                for kept, value in values.items()
                if isinstance(value, numbers.Number)
            }
            weights = getattr(callback, "best_weights", None)
            if weights is not None:
                memories[name]["best_weights"] = f"best_weights_{i}.npz"
                file.writestr(f"best_weights_{i}.npz", _packed(weights))
        file.writestr("memories.json", json.dumps(memories))

    def read(self, file):
        """Reads what `write` added to a file, for `bring_back`."""
        if "memories.json" not in file.namelist():
            return
        kept = schema.parse(file.read("memories.json"), constants=True)
        schema.check(kept, {...: _MEMORY}, "its memories")
        for memory in kept.values():
            if "best_weights" in memory:
                packed = io.BytesIO(file.read(memory["best_weights"]))
                with np.load(packed, allow_pickle=False) as weights:
                    memory["best_weights"] = [weights[name] for name in weights.files]
        self.kept = kept

    def bring_back(self):
        """Restores what was read, after Keras has reset the callbacks: when training begins."""
        for name, memory in self.kept.items():
            if name in self.named:
                vars(self.named[name]).update(memory)
        self.kept = {}


def _packed(weights):
    buffer = io.BytesIO()
    # NumPy has no bfloat16 of its own, which a float32 holds.
    parts = [w.astype("float32") if w.dtype.name == "bfloat16" else w for w in weights]
    np.savez(buffer, *parts)
    return buffer.getvalue()
