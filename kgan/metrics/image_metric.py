"""The base class of measures that compare generated images with real ones."""

import math
import warnings
from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
import numpy.typing as npt

from kgan.metrics import degeneracy
from kgan.metrics.features import get, of_config
from kgan.metrics.images import as_images


class ImageMetric(keras.metrics.Metric):
    """Base class of measures that compare generated images with real ones, batch by batch.

    `update_state(real, fake)` takes batches of either or both and computes their features on
    Keras's backend. `result()` computes the measure once, with NumPy in float64, so equal features
    give equal scores on every backend.

    If the features cannot distinguish images, a warning and the `protocol` say so; if they are the
    same for all images, the score is NaN.

    A subclass defines `measure(real, fake)` and, to store less than all features, `kept()`: see
    `Rows`. What the command and the report know of a measure of `kgan.metrics` it says itself, in
    class attributes, which have these defaults:

    - `better = {}`: `"lower"` or `"higher"` by the name of a score, where one is better;
    - `chooses = False`: whether `kgan train --metrics` may choose the best epoch by the score whose
      name is `option`, which `better` must have;
    - `option = None`: its name in `--metrics`, also in `kgan.cli.measures.MEASURES`; None: it is
      not for the command;
    - `takes = "features"`: what the command gives to its constructor: `"features"`, `"classifier"`
      (of data with labels), or None.

    Args:
        features: `"pixels"`, `"inception"`, or a Keras model from images to features.
        name, dtype: as for `keras.metrics.Metric`.
    """

    better: dict[str, str] = {}
    chooses = False
    option: str | None = None
    takes: str | None = "features"
    least = 2  # images of each kind
    searches = False  # whether real images count that no generated ones stand beside
    compares = True  # whether equal features of all images look like a perfect score
    shape: tuple[int, ...] | None  # of the images seen so far, without the batch

    def __init__(
        self,
        features: str | keras.Model = "pixels",
        name: str | None = None,
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.features = get(features)
        self.told: set[str] = set()  # kinds of doubts, also after `reset_state`
        self.reset_state()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        config = {**config}
        if "features" in config:
            config["features"] = of_config(config["features"])
        return super().from_config(config)

    @property
    def score_names(self) -> tuple[str, ...]:
        """The names of the scores of `result()`."""
        return (self.name,)

    @property
    def networks(self) -> tuple[Any, ...]:
        """The extractors whose weights are saved with a model that has this metric."""
        return (self.features,) if self.features.network is not None else ()

    def check(self, shape: Sequence[int]) -> None:
        """Raises a ValueError if images of a shape, without the batch, cannot be measured."""
        self.features.check(shape)

    def kept(self) -> Any:
        """Returns an empty store of the features of one kind of images."""
        return Rows()

    def measure(self, real: Any, fake: Any) -> Any:
        """Returns the score: a float, or a dictionary of floats by name.

        Args:
            real, fake: what `kept` returned, filled.
        """
        raise NotImplementedError(f"{type(self).__name__} must define measure(real, fake)")

    def arguments(self) -> dict[str, Any]:
        """Returns the constructor arguments of the subclass, which also enter the protocol."""
        return {}

    def update_state(
        self,
        real: npt.ArrayLike | None = None,
        fake: npt.ArrayLike | None = None,
        sample_weight: Any = None,
    ) -> None:
        """Adds a batch of real images, of generated ones, or one of each.

        Args:
            real, fake: float `(batch, height, width, channels)` in [-1, 1], of any framework, in
                any numbers. Default: None, no images of this kind.
            sample_weight: not used.

        Raises:
            ValueError: if the images or their features cannot be measured, or with weights.
        """
        if sample_weight is not None:
            raise ValueError("Images are counted, not weighed. Received: sample_weight")
        for store, spread, images in zip(
            (self.real, self.fake), self.spreads, (real, fake), strict=True
        ):
            if images is None:
                continue
            images = as_images(images, generated=store is self.fake)
            self.shape = self.shape or images.shape[1:]
            if images.shape[1:] != self.shape:
                raise ValueError(
                    "Real and generated images must have the same shape: resize one kind. "
                    f"Received: images {images.shape[1:]} after images {tuple(self.shape)}"
                )
            features = self.features(images)
            store.add(features)
            if self.compares:
                spread.add(features)

    def result(self) -> Any:
        """Returns the score: a float, or a dictionary of floats by name; NaN if it is meaningless.

        Raises:
            ValueError: if there are too few images.
        """
        for kind, store in (("real", self.real), ("generated", self.fake)):
            if store.count < self.least:
                raise ValueError(
                    f"{type(self).__name__} needs at least {self.least} images of each kind: give "
                    f"more to update_state(real, fake). Received: {store.count} {kind} images"
                )
        score = self.measure(self.real, self.fake)
        doubts = self.doubts()
        self.tell(doubts)
        if any(doubt.void for doubt in doubts):
            return dict.fromkeys(score, math.nan) if isinstance(score, dict) else math.nan
        return score

    def doubts(self) -> list[degeneracy.Doubt]:
        """Returns the reasons why the score says little, see `kgan.metrics.degeneracy`."""
        real, fake = self.spreads
        return self.doubts_of(min(real.count, fake.count), real.width) + degeneracy.judge(
            real, fake
        )

    def doubts_of(self, count: int, width: int | None) -> list[degeneracy.Doubt]:
        """Returns the doubts that follow from the numbers of images and features.

        Args:
            count: images of each kind.
            width: features of each, None if unknown.
        """
        return []

    def tell(self, doubts: list[degeneracy.Doubt]) -> None:
        """Warns about doubts, once for each kind."""
        for doubt in doubts:
            if doubt.kind not in self.told:
                self.told.add(doubt.kind)
                warnings.warn(doubt.text(self.name), stacklevel=3)

    def reset_state(self) -> None:
        """Removes all images."""
        self.real, self.fake = self.kept(), self.kept()
        self.spreads = degeneracy.Spread(), degeneracy.Spread()
        self.shape = None

    @property
    def protocol(self) -> dict[str, Any]:
        """A JSON-able description of how the score was measured, needed to compare scores."""
        notes = [doubt.note for doubt in self.doubts()]
        return {
            "measure": type(self).__name__,
            **self.features.protocol,
            **self.arguments(),
            "real_images": self.real.count,
            "generated_images": self.fake.count,
            **({"note": "; ".join(notes)} if notes else {}),
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "features": self.features.config, **self.arguments()}


class Rows:
    """All features of one kind, in the order they came.

    They stay in their batches, which measures of the same features share to save memory;
    `rows[indices]` makes an array of some.
    """

    def __init__(self):
        self.parts, self.ends, self.count = [], [], 0

    def add(self, features):
        self.parts.append(features)
        self.count += len(features)
        self.ends.append(self.count)

    def __len__(self):
        return self.count

    def __getitem__(self, indices):
        """Returns the rows of a slice or of integers, float64 `(rows, features)`."""
        indices = np.arange(self.count)[indices]
        places = np.searchsorted(self.ends, indices, side="right")
        rows = np.empty((len(indices), self.parts[0].shape[1]))
        for place in np.unique(places):
            here = places == place
            start = self.ends[place] - len(self.parts[place])
            rows[here] = self.parts[place][indices[here] - start]
        return rows
