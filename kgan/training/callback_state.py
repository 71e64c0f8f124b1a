"""What callbacks hold for the best epoch so far, for a run that goes on after a crash."""

import io
import json
import numbers

import numpy as np

from kgan.export.untrusted import schema

KEPT = ("best", "best_epoch", "wait", "cooldown_counter")
_MEMORY = {**dict.fromkeys((f"{name}?" for name in KEPT), (int, float)), "best_weights?": str}


class Memories:
    """What `ModelCheckpoint`, `EarlyStopping`, `ReduceLROnPlateau` and their like remember.

    Keras has them begin anew with each `fit`, also after its own `BackupAndRestore`. So the first
    epoch after a crash would count as the best, and take the place of a better saved model.

    Args:
        callbacks: of a `fit`; those with an attribute `best` are looked after. A callback is known
            again by its class, by what it monitors, and by its place among those alike.
    """

    def __init__(self, callbacks):
        self.named, self.kept = {}, {}
        for callback in callbacks:
            if hasattr(callback, "best"):
                name = f"{type(callback).__name__} {getattr(callback, 'monitor', '')}"
                place = sum(other.startswith(f"{name} ") for other in self.named)
                self.named[f"{name} {place}"] = callback

    def write(self, file):
        """Adds what they remember now to an open `zipfile.ZipFile`."""
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
        """Takes what `write` has added to a file, for `bring_back`."""
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
        """Gives the callbacks what was read, once they have forgotten: when training begins."""
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
