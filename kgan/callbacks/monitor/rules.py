"""The rules by which `CollapseMonitor` recognises failures.

The limits were set on runs of `kgan.data.digits`, healthy and spoilt, and `benchmarks/monitor.py`
tries them on 90 such runs. What is healthy looked like this:

- The distances between images, as a share of those between real ones, grow: in 40 healthy runs
  from 0.07 to 0.35 at their lowest to 0.48 to 1.00 in the end. In a collapse they fall to a
  fifth, in the plain cases to a thousandth. Untrained networks can begin far below that, so what
  never grew counts as a collapse only once there was time to. They can also begin with much
  variety, which is noise: healthy runs at rates of 1e-2 begin by losing it.
- The discriminator is right on all samples for the first epochs of many runs, and batch
  normalisation can keep it at "all real" for longer. So accuracy alone tells nothing; it does
  together with a generator whose gradient fades, or with a loss of its own near 0: in healthy
  runs, those of `benchmarks/monitor_images.py` among them, that stayed above 0.26.
- Gradients may grow by 30 times in the first epochs. Single spikes mean nothing.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from kgan.utils.advice import advice

LOSSES = ("generator_loss", "discriminator_loss")
GRADIENTS = ("generator_gradient", "discriminator_gradient")
VARIETY = ("diversity", "distinctness")
ACCURACIES = ("discriminator_accuracy_real", "discriminator_accuracy_fake")

FALLEN = 1 / 3  # of the greatest variety of the run
BLANK = 1 / 30  # of the untrained networks' variety
FLOOR, SETTLED = 1 / 20, 1000  # of real variety; updates after which even less is no beginning
RIGHT = 0.98  # of 64 samples all but one
SURE, SEVERAL = 1 / 4, 4  # share of images near a mode, and modes, to count the lost ones by
CERTAIN = 0.01  # loss of the discriminator
FADED = 1 / 10  # of the gradient: beyond what healthy runs show
VANISHED = 1 / 100
EXPLODED = 100
LOOKS = 3  # in a row that must show a symptom


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """A reported failure.

    Attributes:
        epoch: the epoch, from 1.
        rule: the name of the rule, see `RULES`.
        text: what was observed, a sentence.
        remedies: the usual remedies, with sources.
    """

    epoch: int
    rule: str
    text: str
    remedies: str

    def __str__(self):
        return f"Epoch {self.epoch}: {self.text} {self.remedies}"


@dataclasses.dataclass(frozen=True)
class Played:
    """What a rule knows about the game.

    Attributes:
        threshold: the logit above which a sample counts as real; None without a threshold.
        judges: names of the players that judge.
    """

    threshold: float | None
    judges: tuple


@dataclasses.dataclass(frozen=True)
class Rule:
    """A symptom.

    Attributes:
        name: of the rule.
        finds: the failure that it indicates.
        needs: the logs that it reads; without them it finds nothing.
        sign: a function of the history and of `Played` to a sentence, or None if all is well.
        remedies: see `Diagnosis`.
        at_shell: the remedies that the `kgan` command has options for.
        patient: whether several looks in a row must show it.
        least: number of looks needed before it says anything, besides those in a row.
    """

    name: str
    finds: str
    needs: tuple
    sign: Callable
    remedies: str
    at_shell: str
    patient: bool = True
    least: int = 1


class Diagnoses:
    """Applies the rules to a growing history. It reports each once, and again after a recovery.

    Args:
        looks: how many looks in a row must show a symptom, or be free of it for a recovery.
        unit: what a look is called.
    """

    def __init__(self, looks, unit="epochs"):
        self.looks, self.unit = looks, unit
        self.lasting = {rule.name: 0 for rule in RULES}
        self.since_told = {}

    @property
    def ill(self):
        """Whether the last look showed a symptom, reported or not."""
        return any(self.lasting.values())

    def __call__(self, history, game, judges=("discriminator",)):
        """Returns a list of `Diagnosis` for the last entry of the history.

        Args:
            history: a list of looks, as `CollapseMonitor.history` has them.
            game: what the players play, see `kgan.losses.Game`.
            judges: names of the players that judge. Default: the discriminator.
        """
        told, game = [], Played(getattr(game, "threshold", None), tuple(judges))
        for rule in RULES:
            text = rule.sign(history, game)
            self.lasting[rule.name] = self.lasting[rule.name] + 1 if text else 0
            if rule.name in self.since_told:
                self.since_told[rule.name] = 0 if text else self.since_told[rule.name] + 1
                if self.since_told[rule.name] == self.looks:
                    del self.since_told[rule.name]
            elif self.lasting[rule.name] >= (self.looks if rule.patient else 1):
                self.since_told[rule.name] = 0
                seen = f", for {self.looks} {self.unit}" if rule.patient else ""
                epoch = history[-1]["epoch"]
                remedies = advice(rule.remedies, rule.at_shell)
                told.append(Diagnosis(epoch, rule.name, f"{text}{seen}.", remedies))
        return told


def _not_finite(history, game):
    broken = [
        f"the {player}'s {kind} is {history[-1][f'{player}_{kind}']}"
        for kind in ("loss", "gradient")
        for player in _players(history, kind)
        if not math.isfinite(history[-1][f"{player}_{kind}"])
    ]
    if any(math.isnan(history[-1][name]) for name in VARIETY):
        broken.append("the images are not finite")
    return "Training has broken down: " + ", ".join(broken) if broken else None


def _collapse(history, game):
    now = history[-1]
    for name, what in zip(VARIETY, ("all pairs", "each and the one most like it"), strict=True):
        first = min(history[0][name], 1)
        trained = history if history[0].get("updates") else history[1:]
        best = min(max(_finite(trained, name), default=0), 1)
        if now[name] < BLANK * first:
            best = max(best, first)
        if now[name] < FALLEN * best:
            return (
                f"The images grow alike: the distances between {what} are {now[name]:.1g} of those "
                f"of real images, after {best:.2f} at best"
            )
        if now[name] < FLOOR and now.get("updates", 0) > SETTLED:
            return (
                f"The images are alike, and always were: the distances between {what} are "
                f"{now[name]:.1g} of those of real images, after {now['updates']:,.0f} updates"
            )
    return None


def _modes_lost(history, game):
    modes = _finite(history, "modes")
    # Of a few images near any mode one cannot say how many modes they would reach.
    few = history[-1].get("high_quality", 1) < SURE or max(modes, default=0) < SEVERAL
    if not few and modes[-1] < max(modes) / 2:
        return f"Modes are lost: {modes[-1]:.0f} are left of {max(modes):.0f}"
    return None


def _discriminator_wins(history, game):
    now = history[-1]
    # A critic without a limit between real and fake is meant to tell them apart.
    if game.threshold is None or ACCURACIES[0] not in now:
        return None
    fall, maker = _fall(history, game)
    loss = min((now.get(f"{judge}_loss", math.inf) for judge in game.judges), default=math.inf)
    if min(now[name] for name in ACCURACIES) < RIGHT:
        return None
    if fall >= 1 / FADED:
        sign = f"the {maker}'s gradient has fallen {_times(fall)}"
    elif 0 <= loss < CERTAIN:
        sign = f"its loss has fallen to {loss:.1g}"
    else:
        return None
    real, fake = (now[name] for name in ACCURACIES)
    return (
        f"The discriminator wins: its accuracy is {real:.2f} on real images and {fake:.2f} on "
        f"generated ones, and {sign}"
    )


def _vanishing(history, game):
    now = history[-1]
    fall, maker = _fall(history, game)
    known = [now[name] for name in ACCURACIES if name in now]
    # Where real and fake cannot be told apart the game is over, and a small gradient is right.
    if fall >= 1 / VANISHED and sum(known) >= 0.9 * len(known):
        return (
            f"The {maker}'s gradient vanishes: its norm is {now[f'{maker}_gradient']:.1g}, it has "
            f"fallen {_times(fall)}"
        )
    return None


def _exploding(history, game):
    for player in _players(history, "gradient"):
        norms = _finite(history, f"{player}_gradient")
        if len(norms) < 4:
            continue
        times = norms[-1] / max(float(np.median(norms)), 1e-30)
        # One that had vanished and comes back does not explode.
        if times > EXPLODED and norms[-1] > _highest(norms[:-3]):
            return f"The {player}'s gradient explodes: its norm is {_times(times)} the usual"
    return None


RULES = (
    Rule(
        "not_finite",
        "NaN",
        LOSSES,
        _not_finite,
        "Take a lower learning rate or clip gradients (global_clipnorm of Keras's optimizers); in "
        "float16 see that the loss scale is not switched off; in a loss of your own, keep "
        "logarithms and roots away from zero.",
        "Take a lower --learning-rate.",
        patient=False,
    ),
    Rule(
        "collapse",
        "collapse",
        VARIETY,
        _collapse,
        'Go back to earlier weights, lower the rates, and try loss="relativistic" with R1 and R2 '
        "(Huang et al., 2024, arXiv:2501.05441), packing=2 (Lin et al., 2018, arXiv:1712.04086) or "
        "the layer MinibatchStandardDeviation (Karras et al., 2018, arXiv:1710.10196).",
        "Lower --learning-rate, and try --loss relativistic (Huang et al., 2024, "
        "arXiv:2501.05441) or another --seed.",
    ),
    Rule(
        "modes_lost",
        "lost modes",
        ("modes", "high_quality"),
        _modes_lost,
        'Try loss="relativistic" with R1 and R2 (Huang et al., 2024, arXiv:2501.05441), rates that '
        "decay over the run, or packing=2 (Lin et al., 2018, arXiv:1712.04086).",
        "Try --loss relativistic (Huang et al., 2024, arXiv:2501.05441), or rates that decay "
        "over the run (--decay).",
    ),
    Rule(
        "discriminator_wins",
        "a winning discriminator",
        (*ACCURACIES, "generator_gradient"),
        _discriminator_wins,
        "Give the discriminator a lower rate or fewer steps, or a penalty, R1(1.0) (Mescheder et "
        "al., 2018, arXiv:1801.04406); with few images, DiffAugment (Zhao et al., 2020, "
        "arXiv:2006.10738).",
        "Lower --learning-rate, or take more images or another --loss.",
    ),
    Rule(
        "vanishing_gradient",
        "a gradient that vanishes",
        ("generator_gradient",),
        _vanishing,
        'Lower the rates; in place of loss="minimax" take "non_saturating" (Goodfellow et al., '
        '2014, section 3), or "wasserstein" with GradientPenalty(10.0) (Gulrajani et al., 2017, '
        "arXiv:1704.00028); keep the discriminator from winning: a lower rate, fewer steps, R1.",
        "Lower --learning-rate; in place of --loss minimax take non_saturating (Goodfellow et "
        "al., 2014, section 3).",
    ),
    Rule(
        "exploding_gradient",
        "a gradient that explodes",
        GRADIENTS,
        _exploding,
        "Lower the rates or clip gradients (global_clipnorm), and keep the discriminator smooth: "
        "SpectralNormalization (Miyato et al., 2018, arXiv:1802.05957), R1 or GradientPenalty.",
        "Lower --learning-rate; --network resnet has a discriminator with spectral "
        "normalisation (Miyato et al., 2018, arXiv:1802.05957).",
        least=4,
    ),
)


def _finite(history, name):
    return [look[name] for look in history if math.isfinite(look.get(name, math.nan))]


def _players(history, kind):
    """The players whose loss or gradient the last look has."""
    ends = [name for name in history[-1] if name.endswith(f"_{kind}")]
    return [name.removesuffix(f"_{kind}") for name in ends]


def _fall(history, game):
    """How many times a maker's gradient is smaller than it was, single spikes aside, and whose."""
    makers = [each for each in _players(history, "gradient") if each not in game.judges]
    return max(((_fallen(history, maker), maker) for maker in makers), default=(1, None))


def _fallen(history, maker):
    norms = _finite(history, f"{maker}_gradient")
    # Before training nothing has spiked yet, and a discriminator can win within an epoch.
    highest = max([_highest(norms), *norms[:1]])
    return highest / norms[-1] if norms and norms[-1] > 0 else (math.inf if highest else 1)


def _highest(norms):
    """The highest of the medians of three in a row."""
    return max((float(np.median(norms[i : i + 3])) for i in range(len(norms) - 2)), default=0)


def _times(value):
    return "to zero" if math.isinf(value) else f"{value:.0f} times"
