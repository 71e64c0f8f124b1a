"""What the losses of a GAN may call: the game, the penalties, the augmentations, what is shown."""

from keras import ops

from kgan import backend, losses


class LossTerms:
    """What `compile` was given, as an `AdversarialModel` uses it in the losses it defines."""

    def augment(self, images, training=True):
        """Returns images as the discriminator is to see them."""
        self._uses.add("augmentations")
        for augmentation in self.augmentations if training else ():
            images = augmentation(images, self.seed_generator)
        return images

    def judging_terms(self, judge, real, fake, weights=None):
        """Returns what a discriminator minimises: the game's term and the penalties.

        The logits are shown among the metrics, as probabilities where the game has such.

        Args:
            judge: a function from what the discriminator judges to its logits.
            real, fake: the two kinds of samples to judge, `(batch, ...)`.
            weights: how much each sample counts, `(batch,)`, or each of its logits, `(batch, ...)`:
                0 for padding. Default: None, all alike.

        Returns:
            A dictionary of scalar terms.
        """
        prepared = self._prepared_penalties(real, fake)
        gradients = {}

        def judged(x):
            # A penalty at these very samples has its gradient of the same call, but where layers
            # add to the loss: a call for a gradient is not one that counts.
            shared = any(points is x and each.interval == 1 for each, points in prepared)
            if not shared or any(map(self._added_losses.adds, self.judges)):
                return judge(x)
            logits, gradients[id(x)] = backend.value_and_input_gradient(self, judge, x)
            return logits

        logits = judged(real), judged(fake)
        self.track_logits(*logits, weights)
        penalties = self._penalty_terms(judge, prepared, gradients, weights)
        # A game of one's own need not know of weights where there are none.
        given = () if weights is None else (weights,)
        return {"adversarial": self.game.discriminator(*logits, *given), **penalties}

    def making_terms(self, judge, real, fake, weights=None):
        """Returns what a maker minimises in the game: the other side of `judging_terms`.

        Args:
            judge, real, fake, weights: as for `judging_terms`. Real samples are judged only where
                the game looks at them, as `"relativistic"` does.

        Returns:
            A dictionary with one scalar term, `adversarial`.
        """
        fake = judge(fake)
        real = judge(real) if self.game.pairs else None
        given = () if weights is None else (weights,)
        return {"adversarial": self.game.generator(real, fake, *given)}

    def track_logits(self, real, fake, weights=None):
        """Shows the logits among the metrics, as probabilities where the game has such.

        Args:
            real, fake: the logits of the two kinds of samples.
            weights: as for `judging_terms`.
        """
        kind, shown = "score", lambda logits: logits
        if self.game.probabilities:
            kind, shown = "probability", ops.sigmoid
        for side, logits in (("real", real), ("fake", fake)):
            self._loss_metrics.update(f"{side}_{kind}", shown(logits), weights=weights)

    def penalty_terms(self, judge, real, fake, weights=None):
        """Returns the penalties given to `compile`, for use in a `discriminator_loss`.

        Args:
            judge: a function from what the discriminator judges to its logits.
            real, fake: the two kinds of samples to judge, `(batch, ...)`.
            weights: as for `judging_terms`.

        Returns:
            A dictionary of scalar terms, weighted.
        """
        prepared = self._prepared_penalties(real, fake)
        return self._penalty_terms(judge, prepared, weights=weights)

    def _prepared_penalties(self, real, fake):
        """Returns the penalties with a term, each with the points where it takes a gradient."""
        self._uses.add("penalties")
        penalties = [penalty for penalty in self.penalties if hasattr(penalty, "term")]
        # Drawn here and not inside a condition, where seeds would go astray.
        return [(each, each.prepare(real, fake, self.seed_generator)) for each in penalties]

    def _penalty_terms(self, judge, prepared, gradients=None, weights=None):
        """Returns the weighted terms; `gradients` holds those already known, by the id of x."""
        # A gradient is of a whole sample, which counts if anything of it does.
        given = () if weights is None else (losses.of_samples(weights),)
        terms = {}
        for penalty, points in prepared:

            def term(penalty=penalty, points=points):
                gradient = (gradients or {}).get(id(points))
                if gradient is None:
                    with self._added_losses.left_out():
                        gradient = backend.input_gradient(self, judge, ops.stop_gradient(points))
                return penalty.term(ops.cast(gradient, "float32"), *given)

            terms[penalty.name] = penalty.weight * self._lazily(term, penalty.interval)
        return terms

    def _lazily(self, term, interval):
        """The term in every `interval`-th turn of the judges, times `interval`; else zero."""
        if interval == 1:
            return term()
        due = self.optimizer.of(self.judges[0]).iterations % interval == 0
        return interval * ops.cond(due, term, lambda: ops.zeros((), "float32"))

    def track(self, **values):
        """Shows values among the metrics; call it inside the losses.

        Args:
            **values: name and value, a scalar or a tensor whose mean is shown.
        """
        for name, value in values.items():
            self._loss_metrics.update(name, value)
