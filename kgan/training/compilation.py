"""`compile`: the game, and an optimizer for each player."""

import math
from collections.abc import Sequence

import keras

from kgan import augmentations as augmentations_module
from kgan import backend, checks, losses
from kgan import penalties as penalties_module
from kgan.metrics.compiled_metrics import CompiledMetrics
from kgan.schedules import count_steps
from kgan.training import contract
from kgan.training.added_losses import AddedLosses
from kgan.training.loss_metrics import LossMetrics
from kgan.training.players import PlayerOptimizers, adam_unless_given, check_names, loss_scaled
from kgan.training.step import layers_of
from kgan.utils import numbers


class Compilation:
    """What an `AdversarialModel` is told before it learns, and how its players are set up."""

    def compile(
        self,
        loss: str | losses.Game = "non_saturating",
        penalties: Sequence = (),
        augmentations: Sequence = (),
        generator_optimizer: str | keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: str | keras.optimizers.Optimizer | None = None,
        discriminator_steps: int = 1,
        ema: float | None = None,
        metrics: Sequence[keras.metrics.Metric] = (),
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        **optimizers,
    ):
        """Chooses the game and the optimizers.

        Args:
            loss: the game: `"non_saturating"` (default), `"minimax"`, `"wasserstein"`,
                `"least_squares"`, `"hinge"`, `"relativistic"`, or an object, see
                `kgan.losses.Game`.
            penalties: objects of `kgan.penalties`, such as `[R1(10.0)]`. Default: none.
            augmentations: objects of `kgan.augmentations`, applied to whatever the discriminator
                judges, such as `[DiffAugment()]`. Default: none.
            generator_optimizer: a `keras.optimizers.Optimizer` or its name. Default: Adam with
                rate 2e-4 and beta_1 0.5, after the DCGAN paper (Radford et al., 2016).
            discriminator_optimizer: the same for the discriminator; an object of its own.
            discriminator_steps: turns of the judges for each of the makers', each on fresh real
                and generated samples. Schedules of any rate count steps, not turns. Default: 1.
            ema: decay of the exponential moving average of the generator's weights, such as 0.999.
                `generate`, `predict`, `evaluate` and `export` then use the average (Yazici et al.,
                The Unusual Effectiveness of Averaging in GAN Training, 2019), which is at hand as
                `averaged_generator`. One that is kept already goes on. Until its first update it
                is what the generator is, loaded weights included. Default: None, off.
            metrics: measures of generated images, such as `[kgan.metrics.FrechetDistance()]`, for
                `evaluate` and, as `val_frechet_distance`, for each epoch of `fit` with
                `validation_data`. Default: none. Keras's own metrics compare pairs, and are for
                models whose images have targets, such as `kgan.Pix2Pix`.
            run_eagerly, steps_per_execution, jit_compile: as in `keras.Model.compile`.
            **optimizers: of players with other names, such as `encoder_optimizer`.

        Raises:
            ValueError: for an unknown game, penalties that contradict each other, one optimizer
                for two players, a player that has nothing to train, no discriminator steps, metrics
                that are no objects or share a name, or a class that does not keep to the contract.
            TypeError: for an argument that does not exist, such as `optimizer`.
        """
        check_names(self.players)
        contract.check_class(self)
        given = {
            "discriminator_optimizer": discriminator_optimizer,
            "generator_optimizer": generator_optimizer,
            **optimizers,
        }
        given = self._optimizers(given)
        networks = {player: self.networks_of(player) for player in self.players}
        judges = [layer for judge in self.judges for layer in layers_of(networks[judge])]
        checks.check_spectral_normalization(layers_of((*self.discriminators, *self.generators)))
        self.game = losses.get(loss)
        self.penalties = penalties_module.check(penalties)
        penalties_module.warn_of_batch_norm(self.penalties, judges)
        if self.judges:
            penalties_module.warn_of_no_limit(self.game, self.penalties, judges)
        self.augmentations = augmentations_module.check(augmentations)
        self.discriminator_steps = numbers.count(
            "discriminator_steps", discriminator_steps, most=math.inf if self.judges else 1
        )
        self.ema = None if ema is None else numbers.share("ema", ema, "(0, 1)")
        self._measures = CompiledMetrics(metrics, self.has_targets)
        self.scores = {}
        self._compile_arguments = {
            "loss": self.game,
            "penalties": self.penalties,
            "augmentations": self.augmentations,
            **{f"{player}_optimizer": optimizer for player, optimizer in given.items()},
            "discriminator_steps": self.discriminator_steps,
            "ema": self.ema,
            "run_eagerly": numbers.flag("run_eagerly", run_eagerly),
            "steps_per_execution": numbers.count("steps_per_execution", steps_per_execution),
            "jit_compile": numbers.choice("jit_compile", jit_compile, (True, False, "auto")),
        }
        self._settle()
        for player, variables in self._learned.items():
            if not variables:
                raise ValueError(
                    f"The {player} has nothing to train: set `trainable = True` on the network or "
                    "on some of its layers before compile(). "
                    f"Received: {networks[player][0].name!r} without trainable variables"
                )
        contract.check_learned(self._learned)
        for player in self.players:
            for layer in self._spectral[player]:
                layer.moved_by_model = True
        scaled = {
            player: loss_scaled(optimizer, layers_of(networks[player]))
            for player, optimizer in given.items()
        }
        players = PlayerOptimizers(**scaled)
        for player in self.players:
            turns = self.discriminator_steps if player in self.judges else 1
            count_steps(players.of(player), turns)
        players.build_players(self._learned)
        self.keep_averages(self.ema, players)
        self._loss_metrics = LossMetrics()
        self._added_losses = AddedLosses()
        self._settings = None
        super().compile(
            optimizer=players,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )
        self.native_calls = backend.native_calls(self)

    def _optimizers(self, given):
        """Returns the optimizer of each player, from the arguments of `compile`."""
        names = [f"{player}_optimizer" for player in self.players]
        unknown = [name for name, value in given.items() if name not in names and value is not None]
        if unknown:
            raise TypeError(
                f"A GAN has an optimizer for each player: pass {'= and '.join(names[::-1])}=; what "
                "a loss tracks is shown as a metric. "
                f"Received: unknown arguments {', '.join(unknown)}"
            )
        return {
            player: adam_unless_given(name, given.get(name))
            for player, name in zip(self.players, names, strict=True)
        }

    def add_loss(self, loss):
        """Layers of the networks may add to the loss of their player; the model has several.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "A term belongs to one of the players: return it from its loss, such as "
            f"{self.players[-1]}_loss, under a name. "
            f"Received: add_loss() on a {type(self).__name__}"
        )
