"""What `kgan train --metrics` adds: measures after each epoch, and the best weights kept."""

import warnings

from kgan.cli import measures, reference

FEWEST = 10  # images, with which every measure can do
FEW = 50  # to choose by
MODES = {"lower": "min", "higher": "max"}  # of keras.callbacks.ModelCheckpoint


class Followed:
    """Takes a tenth of the images out of a run, to measure on, and says what measures there.

    Args:
        run: a `kgan.cli.run.Run`, whose images and labels become those that are left.
        metrics, features: the options; without `metrics` nothing is held out or measured.
        seed: of the choice of images.

    Attributes:
        metrics: for `compile`.
        validation: for `fit`, or None.
        coverage: for the monitor, if modes are counted, or None.
        monitor: the score in the logs that chooses `best.keras`, or None.
        mode: "min" or "max", which of its values is best; None without one.
        doubt: why that choice may be one by chance, or None.

    Raises:
        ValueError: for measures or features that there are not, a first measure that may
            not choose, or too few images.
    """

    def __init__(self, run, metrics, features, seed):
        from kgan.metrics import evaluation

        self.metrics, self.validation, self.monitor, self.coverage = [], None, None, None
        self.doubt = self.mode = None
        if metrics is None:
            return
        chosen = measures.names(metrics, features)
        choosing = [name for name, measure in measures.classes().items() if measure.chooses]
        if chosen[0] not in choosing:
            raise ValueError(
                "The first of --metrics chooses best.keras: begin with one of "
                f"{', '.join(choosing)}. Received: --metrics {metrics}"
            )
        if metrics == "all":
            chosen.remove("duplicate_rate")
        elif "duplicate_rate" in chosen:
            raise ValueError(
                "duplicate_rate looks for copies of training images, and here measures are taken "
                "on others: leave it to kgan evaluate. Received: --metrics " + metrics
            )
        stream = hasattr(run.images, "sources")
        data = (run.images, run.labels)
        known = (None, None) if stream else (run.images, run.known)
        self.metrics = measures.metrics(chosen, features, *known)
        made = run.model.made_shapes
        evaluation.check(self.metrics, made, None, "take more images")
        for metric in self.metrics:
            if metric.name == "mode_coverage":
                self.coverage = type(metric)(metric.networks[0].model)
        if stream:
            run.images, self.validation = reference.without_held_out(run.images, seed)
            count = min(len(source.items) for source in self.validation.sources)
        else:
            (parts,) = reference.held_out([len(run.images)], seed)
            self.validation, (run.images, run.labels) = (
                tuple(None if part is None else part[rows] for part in data) for rows in parts
            )
            count = len(parts[0])
            if run.labels is None:
                self.validation = self.validation[0]
        if count < FEWEST:
            raise ValueError(
                f"--metrics holds out a tenth of the images, {FEWEST} at least: take more images, "
                f"or measure with kgan evaluate afterwards. Received: {count} held out"
            )
        if count < FEW:
            warnings.warn(
                f"{FEW} images or more should choose best.keras: with fewer a score moves by "
                f"chance as much as by what is learned. Received: {count} held out of a tenth",
                stacklevel=2,
            )
            self.doubt = f"chosen by {count} images alone, so perhaps by chance"
        first, shape = self.metrics[0], made[-1]
        self.mode = MODES[first.better[chosen[0]]]
        for doubt in first.doubts_of(count, first.features.width(shape)):
            self.doubt = doubt.note
        domain = run.model.scored_domains[-1]  # of a CycleGAN b, the way from A to B
        self.monitor = f"val_{chosen[0]}_{domain}" if domain else f"val_{chosen[0]}"

    def callbacks(self, path):
        """The callback that keeps the best weights, if there is a measure to tell them by."""
        import keras

        if self.monitor is None:
            return []
        options = {"monitor": self.monitor, "mode": self.mode, "save_best_only": True}
        return [keras.callbacks.ModelCheckpoint(path, **options)]
