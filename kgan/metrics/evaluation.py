"""Measures of generated images in `compile` and `evaluate`: one more pass over the real ones."""

import hashlib
import itertools
import math
import warnings

import keras
import numpy as np

from kgan import backend, checks
from kgan.data.image_stream import ImageStream
from kgan.metrics import protocol
from kgan.metrics.features import shared
from kgan.metrics.hashes import ImagesHash
from kgan.training import streams
from kgan.utils.advice import advice

SEED = 0  # of the latents, the same at each evaluation, so that scores differ by the weights alone
AT_ONCE = 256  # images of arrays in a batch


class Evaluation:
    """Scores of generated images beside the real ones that `evaluate` is given.

    The measures are heavy (eigenvalues, nearest neighbours) and have no place in a compiled step.
    So the losses are computed first, as ever, and then the measures in one pass of their own.

    Attributes:
        scores: what the last evaluation found: by name the `value` and its `protocol`, as
            `kgan.metrics.report` has them.
    """

    scored_domains = ("",)  # kinds of generated images, each measured by itself
    has_targets = False  # whether each generated image has a real one that it is to equal

    @property
    def score_metrics(self):
        """The metrics given to `compile`, a list."""
        return self._measures.metrics

    def evaluate(self, x=None, y=None, batch_size=None, return_dict=False, **kwargs):
        options = {"batch_size": batch_size, **kwargs}
        if not self.score_metrics:
            return super().evaluate(x, y, return_dict=return_dict, **options)
        logs = super().evaluate(x, y, return_dict=True, **options)
        limits = {"steps": kwargs.get("steps"), "batch_size": batch_size}
        self.scores = measure(self, self.score_metrics, streams.source_of(x), y, **limits)
        logs |= {name: score["value"] for name, score in self.scores.items()}
        return logs if return_dict else [logs[name] for name in self.metrics_names]

    @property
    def metrics_names(self):
        """What the values of `evaluate` are called, in its order; of measures since they ran."""
        return [*super().metrics_names, *self.scores]

    @property
    def generator_in_use(self):
        """Which weights make the images, in words."""
        return f"moving average, decay {self.ema}" if self.averages else "last weights"


def check(metrics, shapes, count, more):
    """Raises a ValueError if images of some shapes, or so few, cannot be measured.

    Warns where they can, but the score would say little.

    Args:
        metrics: as for `measure`.
        shapes: of the images, without the batch.
        count: of each kind, None if that is not known.
        more: what to do where they are too few.
    """
    for metric in metrics:
        least = getattr(metric, "least", 0)
        if count is not None and count < least:
            raise ValueError(
                f"{type(metric).__name__} needs at least {least} images of each kind: {more}. "
                f"Received: {count} images"
            )
        for shape in shapes if hasattr(metric, "check") else ():
            metric.check(shape)
    for metric in metrics if count is not None else ():
        for shape in shapes if getattr(metric, "compares", False) else ():
            metric.tell(metric.doubts_of(count, metric.features.width(shape)))


def measure(
    model,
    metrics,
    x,
    y=None,
    /,
    *,
    steps=None,
    batch_size=None,
    seed=SEED,
    others=(),
    tell=None,
    **context,
):
    """Measures what a model generates beside real data.

    Args:
        model: an `AdversarialModel`, or what else has these attributes of `Evaluation`.
        metrics: Keras metrics; those of `kgan.metrics` are given images alone.
        x, y, steps, batch_size: the data, as for `evaluate`; no iterator.
        seed: of the latents. Default: 0.
        others: batches of further real images, for measures that search all of them, such as
            `kgan.metrics.DuplicateRate`. Default: none.
        tell: a function that is called with the number of images after each batch. Default: none.
        **context: for the protocol, see `kgan.metrics.report`.

    Returns:
        The scores, as `kgan.metrics.report` returns them; names end in `_` and the domain where
        the model has several.
    """
    state = backend.random_state()  # which even `predict` moves on PyTorch
    finite = True
    context |= {"latent_seed": seed} if model.draws_latents else {}
    context["generator"] = model.generator_in_use
    searching = [metric for metric in metrics if getattr(metric, "searches", False)]
    # Of arrays and streams of others the smaller domain comes again.
    repeats = getattr(model, "unpaired", False) and not isinstance(x, ImageStream)
    groups = [[metric for metric in metrics if metric not in searching], searching]
    scores = {}
    for domain in model.scored_domains:
        rng, reference = np.random.default_rng(seed), ImagesHash()
        for metric in metrics:
            metric.reset_state()
        with shared(metrics), warnings.catch_warnings():
            # `evaluate` has said so, of a generator with another range.
            warnings.filterwarnings("ignore", message="The images seem to lie in")
            batches = _batches(x, y, steps, batch_size)
            for batch in once(batches) if repeats else batches:
                real, fake = map(checks.to_numpy, model.real_and_generated(batch, rng, domain))
                reference.add(real)
                if not np.isfinite(fake).all():
                    finite, fake = False, np.nan_to_num(fake, nan=0, posinf=0, neginf=0)
                for metric in metrics:
                    if getattr(metric, "samples_first", False):
                        metric.update_state(fake, real=real)
                    else:
                        metric.update_state(real, fake)
                if tell:
                    tell(len(real))
            hashes = [str(reference)]
            for real in others if searching else ():
                reference.add(real)
                for metric in searching:
                    metric.update_state(real)
                if tell:
                    tell(len(real))
            hashes.append(str(reference))
            own = {"domain": domain} if domain else {}
            for group, reference_hash in zip(groups, hashes, strict=True):
                found = protocol.report(group, **context, **own, reference_hash=reference_hash)
                scores |= {f"{name}_{domain}" if domain else name: found[name] for name in found}
    if not finite:
        # No error: callbacks that watch for this come after the measures.
        warnings.warn(
            "The generated images are not finite, so every score is NaN: lower the rates"
            f"{advice(', see kgan.callbacks.CollapseMonitor', ' (--learning-rate)')}.",
            stacklevel=2,
        )
        scores = {name: {**score, "value": math.nan} for name, score in scores.items()}
    for metric in metrics:
        metric.reset_state()  # or their images would stay in memory
    backend.set_random_state(state)
    return scores


def _batches(x, y, steps, batch_size):
    """The batches of any data that can be gone over again."""
    if checks.is_arrays(x):
        data = keras.utils.pack_x_y_sample_weight(x, y)
        if steps is not None:
            data = _part(data, 0, steps * (batch_size or 32))
            steps = None  # the batches below have another size
        count = len(keras.tree.flatten(data)[0])
        batches = (_part(data, start, start + AT_ONCE) for start in range(0, count, AT_ONCE))
    elif isinstance(x, ImageStream):
        batches = x.once(AT_ONCE if steps is None else x.batch_size)
    elif isinstance(x, keras.utils.PyDataset):
        lengths = [length for length in (steps, x.num_batches) if length is not None]
        batches = (x[i] for i in range(min(lengths)))
    else:
        batches = iter(x)
    for batch in itertools.islice(batches, steps):
        batch = keras.tree.map_structure(checks.to_numpy, batch)
        yield tuple(batch) if isinstance(batch, list) else batch


def once(batches):
    """Yields batches of two domains without what comes again, as images of the smaller one do."""
    seen = (set(), set())
    for batch in batches:
        keep = []
        for i in range(len(batch[0])):
            hashes = [hashlib.sha256(np.ascontiguousarray(part[i])).digest() for part in batch]
            if not any(each in known for each, known in zip(hashes, seen, strict=True)):
                keep.append(i)
            for each, known in zip(hashes, seen, strict=True):
                known.add(each)
        if keep:
            yield tuple(part[keep] for part in batch)


def _part(data, start, stop):
    return keras.tree.map_structure(lambda array: array[start:stop], data)
