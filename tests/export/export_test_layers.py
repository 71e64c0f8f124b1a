"""Custom layers in a module that the converter's process can import."""

import keras


@keras.saving.register_keras_serializable(package="export_test")
class Scale(keras.layers.Layer):
    """Registered: multiplies by a trained factor."""

    def __init__(self, start=2.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.factor = self.add_weight(
            shape=(input_shape[-1],), initializer=keras.initializers.Constant(self.start)
        )

    def call(self, inputs):
        return inputs * keras.ops.cast(self.factor, inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "start": self.start}


class Shift(keras.layers.Layer):
    """Not registered, and it holds a layer of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = Scale(0.5)

    def build(self, input_shape):
        self.scale.build(input_shape)

    def call(self, inputs):
        return self.scale(inputs) + 1.0


@keras.saving.register_keras_serializable(package="export_test")
def wave(inputs):
    """A registered activation function."""
    return keras.ops.sin(inputs)


class Subclassed(keras.Model):
    """A model that is neither functional nor Sequential."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(5, activation="relu")
        self.last = keras.layers.Dense(2)

    def call(self, inputs):
        return self.last(self.hidden(inputs))


class OfParts(keras.Model):
    """A subclassed model of a dictionary, with a dictionary of outputs."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.last = keras.layers.Dense(2)

    def call(self, inputs):
        total = self.last(inputs["top"]) - self.last(inputs["the bottom"])
        return {"z": total, "a": 2.0 * total}


class Forgetful(keras.layers.Layer):
    """Cannot be serialised: its constructor's argument is missing from its configuration."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def call(self, inputs):
        return inputs * 2


class Noise(keras.layers.Layer):
    """Draws random numbers at inference."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, inputs):
        return inputs + keras.random.normal(keras.ops.shape(inputs), seed=self.seed_generator)


class OnlyNarrow(keras.layers.Layer):
    """Computes something else in float32."""

    def call(self, inputs):
        return inputs * (-1.0 if self.compute_dtype == "float32" else 1.0)
