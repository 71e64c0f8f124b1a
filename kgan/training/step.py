"""One batch of the game: play, judge, learn. Written once for three backends."""

from collections import namedtuple

import keras
from keras import ops

from kgan import backend
from kgan.layers import SpectralNormalization
from kgan.training import averaged_network

RecordedPlay = namedtuple("RecordedPlay", "outputs regularization pull")
"""What `play` has given, what its layers add to the loss, and the pullback of both."""


class Turns:
    """What an `AdversarialModel` does with a batch: `train_step` and `test_step`.

    Follow `train_step` to read it. The rest are its parts, and what the losses of a GAN may call.
    """

    @backend.step
    def train_step(self, data):
        *parts, batch = self._parts(self.vary(self.unpack(data)))
        self._move_spectral_vectors("generator")
        for part in parts:
            self._discriminator_turn(part, _stop_gradient(self.play(part)))

        recorded = self._recorded_play(batch)
        self._discriminator_turn(batch, recorded.outputs)
        self._generator_turn(batch, recorded)
        if self.ema:
            updates = self.optimizer.iterations + self._average_offset
            averaged_network.update(self.generators, self.averages, self.ema, updates)
        return self.get_metrics_result()

    def _settle(self):
        """Notes what each player learns and moves, which stays as it is from `compile` on."""
        # Past Keras's own __setattr__, which would track them once more.
        vars(self)["_learned"] = {player: trainable(of) for player, of in self._players()}
        vars(self)["_spectral"] = {player: spectral_layers(of) for player, of in self._players()}

    def _move_spectral_vectors(self, player):
        for layer in self._spectral[player]:
            layer.move()

    def _parts(self, batch):
        """Splits a batch into fresh data for each of the discriminator's turns.

        Dealt out like cards: then a turn has the same samples however many devices share the
        batch, and none has to be sent from one device to another.
        """
        count = self.discriminator_steps
        whole = ops.shape(keras.tree.flatten(batch)[0])[0] // count * count
        return [
            keras.tree.map_structure(lambda x, i=i: x[i:whole:count], batch) for i in range(count)
        ]

    def _recorded_play(self, batch):
        """Returns a `RecordedPlay`, with the pullback to the generators' variables."""
        (outputs, regularization), pull = backend.vjp(
            self, lambda: self._regularized_play(batch), variables=self._learned["generator"]
        )
        return RecordedPlay(_stop_gradient(outputs), _stop_gradient(regularization), pull)

    def _regularized_play(self, batch, training=True):
        """Returns the outputs of `play`, and what the generators' layers add to the loss."""
        networks = [self.in_use(network, training) for network in self.generators]
        with self._added_losses.collected("generator", networks) as added:
            outputs = self.play(batch, training)
        return outputs, self._added_losses.term("generator", self._learned["generator"], added)

    def _discriminator_turn(self, batch, outputs):
        self._move_spectral_vectors("discriminator")
        terms, gradients = self._discriminator_gradients(batch, outputs)
        variables = self._learned["discriminator"]
        self._update("discriminator", gradients, variables)
        for constraint in self.penalties:
            if hasattr(constraint, "constrain"):
                constraint.constrain(variables)
        self._track_terms("discriminator", terms, batch)

    def _discriminator_gradients(self, batch, outputs):
        """Returns the terms, and the gradients of their sum times the loss scale."""
        terms, pull = backend.vjp(
            self,
            lambda: self._discriminator_terms(batch, outputs),
            variables=self._learned["discriminator"],
        )
        gradients, _ = pull(_ones(terms, self.optimizer.discriminator))
        return terms, gradients

    def _generator_turn(self, batch, recorded):
        terms, gradients = self._generator_gradients(batch, recorded)
        self._update("generator", gradients, self._learned["generator"])
        self._track_terms("generator", terms, batch)

    def _generator_gradients(self, batch, recorded):
        """Returns the terms, and the gradients of their sum times the loss scale."""
        optimizer = self.optimizer.generator
        terms, pull = backend.vjp(
            self,
            lambda outputs: _float32(self.generator_loss(batch, outputs)),
            inputs=(recorded.outputs,),
        )
        _, (output_gradients,) = pull(_ones(terms, optimizer))
        regularization = recorded.regularization
        gradients, _ = recorded.pull((output_gradients, _ones(regularization, optimizer)))
        return terms | regularization, gradients

    def _update(self, player, gradients, variables):
        optimizer = getattr(self.optimizer, player)
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        # As a value of its own: on PyTorch and TensorFlow the variable changes in place.
        scale = optimizer.dynamic_scale + 0 if scaled else None
        backend.update(optimizer, gradients, variables)
        if scaled:
            # An update is skipped, and the scale halved, when a gradient has overflowed.
            skipped = ops.cast(optimizer.dynamic_scale < scale, "float32")
            self._means.update(f"{player}_skipped_updates", skipped)

    @backend.step
    def test_step(self, data):
        self._look(self.unpack(data), training=False)
        return self.get_metrics_result()

    def _look(self, batch, training):
        """Plays and judges without learning."""
        outputs, regularization = self._regularized_play(batch, training)
        terms = self._discriminator_terms(batch, outputs, training)
        self._track_terms("discriminator", terms, batch)
        terms = _float32(self.generator_loss(batch, outputs, training))
        self._track_terms("generator", terms | regularization, batch)

    def _discriminator_terms(self, batch, outputs, training=True):
        with self._added_losses.collected("discriminator", self.discriminators) as added:
            terms = _float32(self.discriminator_loss(batch, outputs, training))
        learned = self._learned["discriminator"]
        return terms | self._added_losses.term("discriminator", learned, added)

    def augment(self, images, training=True):
        """Returns images as the discriminator is to see them."""
        self._uses.add("augmentations")
        for augmentation in self.augmentations if training else ():
            images = augmentation(images, self.seed_generator)
        return images

    def judging_terms(self, judge, real, fake):
        """Returns what a discriminator minimises: the game's term and the penalties.

        The logits are shown among the metrics, as probabilities where the game has such.

        Args:
            judge: a function from what the discriminator judges to its logits.
            real, fake: the two kinds of samples to judge, `(batch, ...)`.

        Returns:
            A dictionary of scalar terms.
        """
        prepared = self._prepared_penalties(real, fake)
        gradients = {}

        def judged(x):
            # A penalty at these very samples has its gradient of the same call, but where layers
            # add to the loss: a call for a gradient is not one that counts.
            shared = any(points is x and each.interval == 1 for each, points in prepared)
            if not shared or self._added_losses.adds("discriminator"):
                return judge(x)
            logits, gradients[id(x)] = backend.value_and_input_gradient(self, judge, x)
            return logits

        logits = judged(real), judged(fake)
        self.track_logits(*logits)
        penalties = self._penalty_terms(judge, prepared, gradients)
        return {"adversarial": self.game.discriminator(*logits), **penalties}

    def track_logits(self, real, fake):
        """Shows the logits among the metrics, as probabilities where the game has such."""
        if self.game.probabilities:
            self.track(real_probability=ops.sigmoid(real), fake_probability=ops.sigmoid(fake))
        else:
            self.track(real_score=real, fake_score=fake)

    def penalty_terms(self, judge, real, fake):
        """Returns the penalties given to `compile`, for use in a `discriminator_loss`.

        Args:
            judge: a function from what the discriminator judges to its logits.
            real, fake: the two kinds of samples to judge, `(batch, ...)`.

        Returns:
            A dictionary of scalar terms, weighted.
        """
        return self._penalty_terms(judge, self._prepared_penalties(real, fake))

    def _prepared_penalties(self, real, fake):
        """Returns the penalties with a term, each with the points where it takes a gradient."""
        self._uses.add("penalties")
        penalties = [penalty for penalty in self.penalties if hasattr(penalty, "term")]
        # Drawn here and not inside a condition, where seeds would go astray.
        return [(each, each.prepare(real, fake, self.seed_generator)) for each in penalties]

    def _penalty_terms(self, judge, prepared, gradients=None):
        """Returns the weighted terms; `gradients` holds those already known, by the id of x."""
        terms = {}
        for penalty, points in prepared:

            def term(penalty=penalty, points=points):
                gradient = (gradients or {}).get(id(points))
                if gradient is None:
                    with self._added_losses.left_out():
                        gradient = backend.input_gradient(self, judge, ops.stop_gradient(points))
                return penalty.term(ops.cast(gradient, "float32"))

            terms[penalty.name] = penalty.weight * self._lazily(term, penalty.interval)
        return terms

    def _lazily(self, term, interval):
        """The term in every `interval`-th discriminator turn, times `interval`; else zero."""
        if interval == 1:
            return term()
        due = self.optimizer.discriminator.iterations % interval == 0
        return interval * ops.cond(due, term, lambda: ops.zeros((), "float32"))

    @property
    def metrics(self):
        return list(self._means.metrics.values())

    def track(self, **values):
        """Shows values among the metrics; call it inside `discriminator_loss` or `generator_loss`.

        Args:
            **values: name and value, a scalar or a tensor whose mean is shown.
        """
        for name, value in values.items():
            self._means.update(name, value)

    def _track_terms(self, player, terms, batch):
        count = ops.shape(keras.tree.flatten(batch)[0])[0]
        self._means.update(f"{player}_loss", sum(terms.values()), count)
        if len(terms) > 1:
            for name, value in terms.items():
                self._means.update(f"{player}_{name}", value, count)

    def _find_metrics(self, batch):
        """A dry run names the metrics, and shows what is wrong with the losses before training."""
        if not self._means.metrics:
            with backend.scope(self), self._means.finding():
                backend.dry_run(self, lambda: self._look(self.unpack(batch), training=True))
                for player in ("discriminator", "generator"):
                    optimizer = getattr(self.optimizer, player)
                    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                        self._means.update(f"{player}_skipped_updates", 0.0)
                self._check_uses()

    def _check_uses(self):
        """Raises a ValueError if the losses leave out what `compile` was given."""
        penalties = [penalty for penalty in self.penalties if hasattr(penalty, "term")]
        for name, given, call in (
            ("penalties", penalties, "judging_terms(judge, real, fake) in discriminator_loss"),
            ("augmentations", self.augmentations, "augment(images, training) in both losses"),
        ):
            if given and name not in self._uses:
                raise ValueError(
                    f"The losses of this model leave out the {name} given to compile: call "
                    f"self.{call}, see kgan.AdversarialModel. "
                    f"Received: {name}={given!r} in a {type(self).__name__}"
                )


def trainable(networks):
    """The variables that a player's networks learn."""
    return [variable for network in networks for variable in network.trainable_variables]


def _stop_gradient(outputs):
    return keras.tree.map_structure(ops.stop_gradient, outputs)


def _float32(terms):
    return {name: ops.cast(value, "float32") for name, value in terms.items()}


def _ones(terms, optimizer):
    """The cotangents that minimise the sum of the terms, times the optimizer's loss scale."""
    return {name: optimizer.scale_loss(ops.ones_like(value)) for name, value in terms.items()}


def layers_of(networks):
    """Every layer of the networks, nested ones included."""
    for network in networks:
        yield network
        yield from layers_of(getattr(network, "layers", ()))


def spectral_layers(networks):
    """The layers whose spectral vectors the model moves."""
    return [layer for layer in layers_of(networks) if isinstance(layer, SpectralNormalization)]
