"""Hashes that identify the networks and images of a protocol."""

import hashlib
import json

import keras
import numpy as np

UNSEEN = ("shared_object_id", "build_config", "compile_config", "trainable", "seed")
UNSEEN_ENDS = ("_initializer", "_regularizer", "_constraint")


def digest(model):
    """Returns the first 12 digits of the SHA-256 of a model's layers and weights."""
    sha = hashlib.sha256(structure(model).encode())
    for weight in model.get_weights():
        sha.update(json.dumps([str(weight.dtype), *weight.shape]).encode())
        sha.update(np.ascontiguousarray(weight).tobytes())
    return sha.hexdigest()[:12]


def structure(model):
    """Returns text that is equal for networks with the same layers and any weights."""
    return json.dumps(_structure(model), sort_keys=True, default=str)


def _structure(model):
    """Returns the JSON-able configuration of a model, reduced to what its outputs depend on.

    Names are replaced by numbers, and settings that make or train weights are omitted.
    """
    layers = model._flatten_layers()
    parts = [part for layer in layers for part in (layer, *getattr(layer, "operations", ()))]
    names = {name: f"layer {i}" for i, name in enumerate(dict.fromkeys(p.name for p in parts))}

    def plain(part):
        if isinstance(part, dict):
            return {
                key: plain(value)
                for key, value in part.items()
                if value is not None and key not in UNSEEN and not key.endswith(UNSEEN_ENDS)
            }
        if isinstance(part, (list, tuple)):
            return [plain(each) for each in part]
        return names.get(part, part) if isinstance(part, str) else part

    try:
        return plain(keras.saving.serialize_keras_object(model))
    except NotImplementedError:  # a layer of one's own without get_config
        return [type(layer).__name__ for layer in layers]


class ImagesHash:
    """An order-independent hash of images: 12 digits of the sum of their SHA-256."""

    def __init__(self):
        self.sum = 0

    def add(self, images):
        for image in np.ascontiguousarray(images, "float32"):
            self.sum += int.from_bytes(hashlib.sha256(image).digest(), "big")

    def __str__(self):
        return f"{self.sum % 2**256:064x}"[:12]
