"""The proof: files beside Keras, now and later."""
