"""The training step: play, judge, learn. Written once for three backends and any players."""

import contextlib
from collections import namedtuple
from typing import Any

import keras
from keras import ops

from kgan import backend
from kgan.layers import SpectralNormalization
from kgan.training import averaged_network, contract
from kgan.training.players import trainable

RecordedPlay = namedtuple("RecordedPlay", "outputs regularization pull")
"""The outputs of `play`, the losses added by each maker's layers, and their pullback."""


class Step:
    """`train_step` and `test_step` of an `AdversarialModel`.

    Follow `train_step` to read it. The rest are its parts; what the losses of a GAN may call is in
    `loss_terms`.
    """

    @backend.step
    def train_step(self, data: Any) -> Any:
        *parts, batch = self._parts(self.vary(self.unpack(data)))
        self._move_spectral_vectors(self.makers)
        for part in parts:
            self._judge(part, _stop_gradient(self.play(part)))

        recorded = self._recorded_play(batch)
        self._judge(batch, recorded.outputs)
        self._learn(batch, recorded)
        if self.ema:
            updates = self.optimizer.iterations + self._average_offset
            averaged_network.update(self.generators, self.averages, self.ema, updates)
        return self.get_metrics_result()

    @backend.step
    def test_step(self, data: Any) -> Any:
        self._look(self.unpack(data), training=False)
        return self.get_metrics_result()

    def _settle(self):
        """Collects the variables that each player trains, which `compile` fixes."""
        networks = {player: self.networks_of(player) for player in self.players}
        # Past Keras's own __setattr__, which would track them once more.
        vars(self)["_learned"] = {player: trainable(of) for player, of in networks.items()}
        vars(self)["_spectral"] = {player: spectral_layers(of) for player, of in networks.items()}

    def _move_spectral_vectors(self, players):
        for player in players:
            for layer in self._spectral[player]:
                layer.move()

    def _parts(self, batch):
        """Splits a batch into fresh data for each of the judges' turns.

        Dealt out like cards: then a turn has the same samples however many devices share the
        batch, and none has to be sent from one device to another.
        """
        count = self.discriminator_steps
        whole = ops.shape(keras.tree.flatten(batch)[0])[0] // count * count
        return [
            keras.tree.map_structure(lambda x, i=i: x[i:whole:count], batch) for i in range(count)
        ]

    def _recorded_play(self, batch):
        """Returns a `RecordedPlay`, with the pullback to the variables of all makers."""
        variables = [variable for maker in self.makers for variable in self._learned[maker]]
        (outputs, regularization), pull = backend.vjp(
            self,
            lambda: self._regularized_play(batch),
            variables=variables,
            pulls=len(self.makers),
        )
        return RecordedPlay(_stop_gradient(outputs), _stop_gradient(regularization), pull)

    def _regularized_play(self, batch, training=True):
        """Returns the outputs of `play`, and the losses added by each maker's layers."""
        with contextlib.ExitStack() as stack:
            added = {}
            for maker in self.makers:
                networks = [self.in_use(each, training) for each in self.networks_of(maker)]
                added[maker] = stack.enter_context(self._added_losses.collected(maker, networks))
            outputs = self.play(batch, training)
        if self._loss_metrics.are_sought:
            contract.check_outputs(self, outputs)
        return outputs, {
            maker: self._added_losses.term(maker, self._learned[maker], added[maker])
            for maker in self.makers
        }

    def _judge(self, batch, outputs):
        """The turn of each judge."""
        self._move_spectral_vectors(self.judges)
        for judge in self.judges:
            terms, gradients = self._judge_gradients(judge, batch, outputs)
            variables = self._learned[judge]
            self._update(judge, gradients, variables)
            for constraint in self.penalties:
                if hasattr(constraint, "constrain"):
                    constraint.constrain(variables)
            self._track_terms(judge, terms, batch)

    def _judge_gradients(self, judge, batch, outputs):
        """Returns the terms, and the gradients of their sum times the loss scale."""
        terms, pull = backend.vjp(
            self,
            lambda: self._judge_terms(judge, batch, outputs),
            variables=self._learned[judge],
        )
        gradients, _ = pull(_ones(terms, self.optimizer.of(judge)))
        return terms, gradients

    def _judge_terms(self, judge, batch, outputs, training=True):
        with self._added_losses.collected(judge, self.networks_of(judge)) as added:
            terms = self._terms(judge, batch, outputs, training)
        return terms | self._added_losses.term(judge, self._learned[judge], added)

    def _learn(self, batch, recorded):
        """The turn of each maker: all see the same play, so updates come after all gradients."""
        turns = {maker: self._maker_gradients(maker, batch, recorded) for maker in self.makers}
        for maker, (terms, gradients) in turns.items():
            self._update(maker, gradients, self._learned[maker])
            self._track_terms(maker, terms, batch)

    def _maker_gradients(self, maker, batch, recorded):
        """Returns the terms, and the gradients of their sum times the loss scale."""
        optimizer = self.optimizer.of(maker)
        terms, pull = backend.vjp(
            self,
            lambda outputs: self._terms(maker, batch, outputs),
            inputs=(recorded.outputs,),
        )
        _, (output_gradients,) = pull(_ones(terms, optimizer))
        own = {
            player: _ones(added, optimizer) if player == maker else _zeros(added)
            for player, added in recorded.regularization.items()
        }
        gradients, _ = recorded.pull((output_gradients, own))
        start = 0
        for player in self.makers[: self.makers.index(maker)]:
            start += len(self._learned[player])
        gradients = gradients[start : start + len(self._learned[maker])]
        return terms | recorded.regularization[maker], gradients

    def _terms(self, player, batch, outputs, training=True):
        """Returns the loss terms of a player: named float32 scalars."""
        terms = getattr(self, f"{player}_loss")(batch, outputs, training)
        if self._loss_metrics.are_sought:
            contract.check_terms(self, player, terms)
        return {name: ops.cast(value, "float32") for name, value in terms.items()}

    def _update(self, player, gradients, variables):
        optimizer = self.optimizer.of(player)
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        # As a value of its own: on PyTorch and TensorFlow the variable changes in place.
        scale = optimizer.dynamic_scale + 0 if scaled else None
        backend.update(optimizer, gradients, variables)
        if scaled:
            # An update is skipped, and the scale halved, when a gradient has overflowed.
            skipped = ops.cast(optimizer.dynamic_scale < scale, "float32")
            self._loss_metrics.update(f"{player}_skipped_updates", skipped)

    def _look(self, batch, training):
        """Runs play and judgement without updates."""
        outputs, regularization = self._regularized_play(batch, training)
        for judge in self.judges:
            terms = self._judge_terms(judge, batch, outputs, training)
            self._track_terms(judge, terms, batch)
        for maker in self.makers:
            terms = self._terms(maker, batch, outputs, training)
            self._track_terms(maker, terms | regularization[maker], batch)

    def _track_terms(self, player, terms, batch):
        count = ops.shape(keras.tree.flatten(batch)[0])[0]
        self._loss_metrics.update(f"{player}_loss", sum(terms.values()), count)
        if len(terms) > 1:
            for name, value in terms.items():
                self._loss_metrics.update(f"{player}_{name}", value, count)

    def _find_metrics(self, batch):
        """Finds the names of the metrics in a dry run, which also reveals errors in the losses."""
        if not self._loss_metrics.metrics:
            with backend.scope(self), self._loss_metrics.finding():
                backend.dry_run(self, lambda: self._look(self._unpacked(batch), training=True))
                for player in self.players:
                    if isinstance(self.optimizer.of(player), keras.optimizers.LossScaleOptimizer):
                        self._loss_metrics.update(f"{player}_skipped_updates", 0.0)
                contract.check_uses(self, self._uses)

    def _unpacked(self, batch):
        batch = self.unpack(batch)
        contract.check_unpacked(self, batch)
        return batch

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._loss_metrics.metrics.values())


def _stop_gradient(outputs):
    return keras.tree.map_structure(ops.stop_gradient, outputs)


def _ones(terms, optimizer):
    """Returns the cotangents for the sum of the terms, times the optimizer's loss scale."""
    return {name: optimizer.scale_loss(ops.ones_like(value)) for name, value in terms.items()}


def _zeros(terms):
    return {name: ops.zeros_like(value) for name, value in terms.items()}


def layers_of(networks):
    """Returns all layers of the networks, including nested ones."""
    for network in networks:
        yield network
        yield from layers_of(getattr(network, "layers", ()))


def spectral_layers(networks):
    """Returns the layers whose spectral vectors the model updates."""
    return [layer for layer in layers_of(networks) if isinstance(layer, SpectralNormalization)]
