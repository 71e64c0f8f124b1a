"""From a Keras model to files: in a process of its own, the only one with TensorFlow."""
