"""What a classifier of real images says of generated ones: the class asked for, modes, diversity.

*Diversity* is the mean distance between two images of a class in the classifier's features (the
output of its last hidden layer), divided by that between real test images of the class: 1 where
images differ as much as real ones do, 0 where all are the same. Odena et al. (2017, section 4.2)
compare the images of a class in pairs likewise, by MS-SSIM; features need no image of a certain
size. Only images that the classifier finds to be of the class are paired, else mistakes would look
like variety.

What it does not show: ten images of each class, repeated, have nine tenths of the full diversity,
and one image a class that is moved by up to one pixel has 0.63 on MNIST and 0.50 on Fashion-MNIST
(`references` in the results), since the classifier's features move with it.
"""

import keras
import numpy as np
from scipy.spatial.distance import pdist

import kgan

PAIRED = 1_000  # images of a class, of which every two are compared


class Judge:
    """Measures images beside a real set.

    Args:
        classifier: as `kgan.metrics.train_classifier` returns it.
        images, labels: real images that it has not seen, `(count, height, width, channels)` and
            integers `(count,)`.
    """

    def __init__(self, classifier, images, labels):
        self.classifier = classifier
        self.features = keras.Model(
            classifier.inputs, [classifier.layers[-2].output, classifier.outputs[0]]
        )
        self.images, self.labels = images, labels
        features, named = self._look(images)
        self.distances = self._distances(features, np.where(named == labels, labels, -1))

    def __call__(self, images, asked=None):
        """Returns a dictionary of what is found in images.

        Args:
            images: `(count, height, width, channels)`.
            asked: the class that each should be of, `(count,)`. Default: whatever it looks like.

        Returns:
            `accuracy`, the share named as asked, if it was; `diversity`, the mean over the classes,
            and `least_diversity`, of the worst class; and what `kgan.metrics.ModeCoverage` has.
        """
        features, named = self._look(images)
        groups = named if asked is None else np.where(named == asked, asked, -1)
        diversity = self._distances(features, groups) / self.distances
        coverage = kgan.metrics.ModeCoverage(self.classifier)
        coverage.update_state(images)
        found = {} if asked is None else {"accuracy": float(np.mean(named == asked))}
        return {
            **found,
            "diversity": float(diversity.mean()),
            "least_diversity": float(diversity.min()),
            "diversities": [round(float(value), 4) for value in diversity],
            **{name: float(value) for name, value in coverage.result().items()},
        }

    def references(self, images, labels):
        """The measures of images for which we know what they should be.

        Args:
            images, labels: real images other than the judge's own.
        """
        count = len(self.images)
        first = np.array([np.argmax(labels == label) for label in np.unique(labels)])
        repeated = np.arange(count) % len(first)
        shifts = np.random.default_rng(0).integers(-1, 2, (count, 2))
        pairs = zip(images[first[repeated]], shifts, strict=True)
        jittered = np.stack([np.roll(image, shift, (0, 1)) for image, shift in pairs])
        return {
            "test images": self(self.images, self.labels),
            "training images": self(images[:count], labels[:count]),
            "one image a class": self(images[first[repeated]], repeated),
            "one image a class, moved by up to one pixel": self(jittered, repeated),
        }

    def _look(self, images):
        """The features of images, and the class that each seems to be of."""
        features, probabilities = self.features.predict(images, batch_size=500, verbose=0)
        return features, probabilities.argmax(axis=1)

    def _distances(self, features, groups):
        """The mean distance of the pairs of each class; 0 where there is no pair."""
        classes = range(self.classifier.output_shape[-1])
        groups = [features[groups == label][:PAIRED] for label in classes]
        return np.array([pdist(group).mean() if len(group) > 1 else 0.0 for group in groups])
