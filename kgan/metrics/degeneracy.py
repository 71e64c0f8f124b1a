"""Checks whether features can distinguish images: by their spread, rank and count.

If features are the same for every image, a distance is 0 and the precision 1 for any generator.
So each score that compares features is checked here.
"""

import dataclasses

import numpy as np

ROUNDING = 1e-5  # of the magnitude: what float32 makes of a constant spreads less
FAINT = 1e-3  # beside a magnitude of 1, which pixels have and features of networks about have
LINE = 1e-3  # second singular value over the first one: less is one number and noise
ROWS, NUMBERS = 64, 1_000_000  # kept to find the rank, rows at most and numbers about


@dataclasses.dataclass(frozen=True)
class Doubt:
    """A reason why a score says little or nothing.

    Attributes:
        kind: each kind is reported once.
        note: the reason, for a protocol.
        remedy: what to do.
        void: whether the score says nothing at all, and is NaN.
    """

    kind: str
    note: str
    remedy: str
    void: bool = False

    def text(self, name):
        """A warning about the score of a name."""
        worth = "says nothing, and is NaN" if self.void else "says little"
        return f"This score {worth}: {self.remedy}. Received: {name}, where {self.note}"


class Spread:
    """The spread of features over images, accumulated batch by batch.

    Attributes:
        count: of images.
        deviation: the root mean square of the differences from the mean of each feature.
        magnitude: the root mean square of the features.
    """

    def __init__(self):
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.rows = []

    def add(self, features):
        """Adds a batch of features, `(batch, ...)` floats."""
        features = features.reshape(len(features), -1)
        mean = features.mean(axis=0, dtype="float64")
        centred = features - mean.astype(features.dtype)
        self._merge(len(features), mean, float(np.sum(centred * centred, dtype="float64")))
        wanted = min(ROWS, max(NUMBERS // features.shape[1], 4)) - sum(map(len, self.rows))
        if wanted > 0:
            self.rows.append(features[:wanted].copy())

    def together(self, other):
        """Returns the combined spread."""
        both = Spread()
        for each in (self, other):
            if each.count:
                both._merge(each.count, each.mean, each.squares)
        return both

    def _merge(self, count, mean, squares):
        step, share = mean - self.mean, count / (self.count + count)
        self.squares += squares + float(np.sum(step**2)) * self.count * share
        self.mean = self.mean + step * share
        self.count += count

    @property
    def width(self):
        return np.size(self.mean) if self.count else 0

    @property
    def deviation(self):
        return (self.squares / (self.count * self.width)) ** 0.5

    @property
    def magnitude(self):
        return (self.deviation**2 + float(np.mean(np.square(self.mean)))) ** 0.5

    @property
    def constant(self):
        """Whether all differences are rounding errors."""
        return self.deviation <= ROUNDING * self.magnitude

    @property
    def on_a_line(self):
        """Whether all features follow from one number."""
        rows = np.concatenate(self.rows).astype("float64")
        if min(rows.shape) < 3:
            return False
        first, second, *_ = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
        return bool(second <= LINE * first)


def judge(real, fake):
    """Returns a list of `Doubt`, empty if the features can distinguish both kinds of images.

    Args:
        real, fake: a `Spread` of each. Equal generated images mean a bad generator, not a bad
            measure, so some conditions are checked for the real images only.
    """
    if min(real.count, fake.count) < 2:
        return []
    other = "choose other features, or look whether those of some real images differ"
    size = f"{real.width:,} features of {real.count:,} real images"
    found = f"deviate by {real.deviation:.2g} from a mean of magnitude {real.magnitude:.2g}"
    if real.together(fake).constant:
        note = f"{size} and all generated ones are constant"
        return [Doubt("constant", note, other, void=True)]
    if real.constant or real.deviation <= FAINT * max(real.magnitude, 1):
        return [Doubt("faint", f"{size} {found}", other)]
    if real.on_a_line:
        return [Doubt("line", f"{size} all follow from one number", other)]
    return []


def few(count, width):
    """Returns a `Doubt` if there are too few images for the covariance of their features."""
    if not width or count > width:
        return []
    note = (
        f"{count} images have a covariance of rank {count - 1} at most, of {width} features: a "
        "high score may be due to that"
    )
    remedy = (
        "the best of several may be so by chance; take more images, or fewer features, such as "
        "those of a classifier"
    )
    return [Doubt("few", note, remedy)]
