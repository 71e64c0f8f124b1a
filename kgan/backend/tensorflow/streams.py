"""Looks at the batches of a `tf.data.Dataset`."""

import keras
import tensorflow as tf


def looked_at(dataset, look, smallest):
    """Returns a dataset whose batches are shown to a function on their way.

    Args:
        dataset: a `tf.data.Dataset` of batches. What is distributed already is left as it is.
        look: a function of a batch, as NumPy arrays, and its index.
        smallest: batches of fewer samples are left out.
    """
    specs = keras.tree.flatten(getattr(dataset, "element_spec", None))
    if isinstance(dataset, tf.distribute.DistributedDataset) or not all(
        isinstance(spec, tf.TensorSpec) for spec in specs
    ):
        return dataset

    def shown(index, batch):
        def show(index, *leaves):
            look(keras.tree.pack_sequence_as(batch, leaves), int(index))
            return True

        leaves = keras.tree.flatten(batch)
        seen = tf.numpy_function(show, [index, *leaves], tf.bool)
        with tf.control_dependencies([seen]):
            return keras.tree.map_structure(tf.identity, batch)

    def is_large(*batch):
        return tf.shape(keras.tree.flatten(batch)[0])[0] >= smallest

    dataset = dataset.enumerate().map(shown)  # one at a time, in order
    sizes = [spec.shape[0] for spec in specs[:1] if spec.shape.rank]
    if smallest > 1 and sizes in ([], [None]):
        # Filtered, it no longer knows its length: Keras counts the batches of the first epoch.
        return dataset.filter(is_large)
    return dataset
