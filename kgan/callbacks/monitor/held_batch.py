"""Accuracies and gradients of all players on one batch, without changing anything."""

from keras import ops

from kgan import backend


class HeldBatch:
    """Runs a held batch as a training step does, but without updates.

    The networks run as in training, with the augmentations, and with other latents each time. No
    weight, batch statistic, seed, metric or optimizer changes, so a monitored run takes the
    same steps as any other.

    Args:
        model: a compiled `AdversarialModel`.
        batch: what `fit` is given for one step, as NumPy arrays.
    """

    def __init__(self, model, batch):
        self.model = model
        self.batch = batch
        self.watch = backend.spectator(model, self._measure)

    def __call__(self):
        """Returns a dictionary of floats.

        - of each player the norm of its gradient, such as `generator_gradient`,
          penalties and other terms included;
        - `discriminator_accuracy_real`, `discriminator_accuracy_fake`: the share of real and of
          generated samples (or patches) that the discriminator takes for what they are, where the
          model tracks its logits. A game without a `threshold`, such as `wasserstein`, compares
          scores only; the middle between the two mean scores takes its place.
        """
        found = self.watch(self.batch)
        return {name: float(ops.convert_to_numpy(value)) for name, value in found.items()}

    def _measure(self, batch):
        model = self.model
        batch = model.unpack(batch)
        recorded = model._recorded_play(batch)
        with model._loss_metrics.recording() as tracked:
            for judge in model.judges:
                model._judge_terms(judge, batch, recorded.outputs)
        gradients = {
            judge: model._judge_gradients(judge, batch, recorded.outputs)[1]
            for judge in model.judges
        }
        for maker in model.makers:
            gradients[maker] = model._maker_gradients(maker, batch, recorded)[1]
        norms = {
            f"{player}_gradient": _norm(of_player, model.optimizer.of(player))
            for player, of_player in gradients.items()
        }
        return {**_accuracies(tracked, model.game), **norms}


def _norm(gradients, optimizer):
    # In two steps: the squares of large gradients would overflow.
    values = [ops.cast(gradient, "float32") / optimizer.scale_loss(1.0) for gradient in gradients]
    largest = ops.max(ops.stack([ops.max(ops.abs(value)) for value in values]))
    scale = ops.maximum(largest, 1e-30)
    return scale * ops.sqrt(sum(ops.sum((value / scale) ** 2) for value in values))


def _accuracies(tracked, game):
    """Returns the shares judged correctly, from the logits that the model tracks."""
    probabilities = "real_probability" in tracked
    kind = "probability" if probabilities else "score"
    if f"real_{kind}" not in tracked:
        return {}
    threshold = 0.5 if probabilities else getattr(game, "threshold", None)
    right = {"real": [], "fake": []}
    for real, fake in zip(tracked[f"real_{kind}"], tracked[f"fake_{kind}"], strict=True):
        limit = (ops.mean(real) + ops.mean(fake)) / 2 if threshold is None else threshold
        for side, logits, won in (("real", real, real > limit), ("fake", fake, fake < limit)):
            share = ops.mean(ops.cast(won, "float32"))
            # Comparisons with NaN are false, but NaN logits are not wrong judgements.
            right[side].append(ops.where(ops.any(ops.isnan(logits)), float("nan"), share))
    return {
        f"discriminator_accuracy_{side}": sum(shares) / len(shares)
        for side, shares in right.items()
    }
