"""Everything that kgan knows of TensorFlow."""
