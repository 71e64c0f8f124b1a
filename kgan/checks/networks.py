"""Checks that networks match their model and each other."""

import contextlib
import contextvars
import math
import warnings

import keras

from kgan.checks.value_range import last_activation
from kgan.layers import ConditionalBatchNormalization

SQUASHING = [
    "sigmoid",
    "hard_sigmoid",
    "log_sigmoid",
    "softmax",
    "log_softmax",
    "tanh",
    "hard_tanh",
    "softsign",
]
_loading = contextvars.ContextVar("loading", default=False)


@contextlib.contextmanager
def loading():
    """A context in which a network that trains badly only gives a warning, so saved models load."""
    token = _loading.set(True)
    try:
        yield
    finally:
        _loading.reset(token)


def _refuse(message):
    if not _loading.get():
        raise ValueError(message)
    warnings.warn(message, stacklevel=4)


def check_built(**networks):
    """Raises a ValueError for a network that is not built."""
    for name, network in networks.items():
        if not getattr(network, "built", False) or not hasattr(network, "input_shape"):
            raise ValueError(
                f"The {name} must be a built Keras model: begin it with keras.Input(shape), or "
                f"call its build(). Received: {name}={network!r}"
            )


def check_inputs(name, network, inputs, hint=""):
    """Raises a ValueError, with the hint, for a network with another number of inputs."""
    shapes = network.input_shape
    count = len(shapes) if isinstance(shapes, (list, dict)) else 1
    if count != len(inputs):
        raise ValueError(
            f"The {name} must have {len(inputs)} input{'s'[: len(inputs) > 1]}: "
            f"{', '.join(inputs)}{hint and f' ({hint})'}. Received: input shapes {shapes}"
        )


def check_fit(output_shape, input_shape, packing=1):
    """Raises a ValueError if a generator's output does not match a discriminator's input."""
    wanted = (*output_shape[:-1], output_shape[-1] * packing)
    if len(wanted) != len(input_shape) or any(
        None not in (a, b) and a != b for a, b in zip(wanted, input_shape, strict=True)
    ):
        packed = f" with {packing} times the channels" if packing > 1 else ""
        raise ValueError(
            f"The discriminator's input must have the shape of the generator's output{packed}: "
            "build both for the same image_shape. Received: generator output "
            f"{output_shape}, discriminator input {input_shape}, packing={packing}"
        )


def check_logits(discriminator):
    """Raises a ValueError for a discriminator that does not end in one logit."""
    activation, layer = last_activation(discriminator)
    if activation in SQUASHING:
        _refuse(
            "The discriminator must end in a logit, since the losses apply the sigmoid themselves, "
            "in a stable form: use Dense(1) without activation. "
            f"Received: a last layer {layer.name!r} with activation {activation!r}"
        )
    if discriminator.output_shape[-1] != 1:
        raise ValueError(
            "The discriminator must give one logit for each sample, or one for each patch: its "
            f"last axis must be 1. Received: output shape {discriminator.output_shape}"
        )


def check_classes_of(name, network, num_classes):
    """Raises a ValueError if a layer for labels is built for another number of classes."""
    inputs = getattr(network, "inputs", None) or ()
    for layer in network.layers if len(inputs) == 2 else ():
        try:
            taken = keras.tree.flatten(layer.input)
        except (AttributeError, ValueError):  # a layer that is not part of one graph alone
            continue
        if not any(tensor is inputs[1] for tensor in taken):
            continue
        size = getattr(layer, "num_classes", getattr(layer, "input_dim", num_classes))
        if size != num_classes:
            raise ValueError(
                f"The {name} is built for another number of classes: make both networks with "
                f"num_classes={num_classes}. Received: a layer {layer.name!r} for {size} classes"
            )


def check_class_logits(discriminator, num_classes):
    """Raises a ValueError for a discriminator without a logit and class logits."""
    shapes = discriminator.output_shape
    if not isinstance(shapes, list) or [shape[-1] for shape in shapes] != [1, num_classes]:
        raise ValueError(
            "The discriminator must give [logit, class_logits], of 1 and num_classes values, for "
            "example dcgan_discriminator(num_classes=10, conditioning='auxiliary'). "
            f"Received: output shape {shapes} with num_classes={num_classes}"
        )
    for output in range(len(shapes)):
        activation, layer = last_activation(discriminator, output)
        if activation in SQUASHING:
            _refuse(
                "The discriminator must end in logits, without activations. "
                f"Received: a last layer {layer.name!r} with activation {activation!r}"
            )


def check_spectral_normalization(layers):
    """Raises a ValueError for Keras's layer of this name, which does not work in a game."""
    for layer in layers:
        if isinstance(layer, keras.layers.SpectralNormalization):
            _refuse(
                "Keras's SpectralNormalization overwrites its kernel in every call, of which a "
                "game has several in a loss: use kgan.layers.SpectralNormalization. "
                f"Received: {layer.name!r}, a keras.layers.SpectralNormalization"
            )


def single_value_norms(layers):
    """Returns the names of batch normalisations that see one value of each channel in a sample.

    Of a batch of one sample they give the shift alone, whatever the sample is. Those of maps have
    the values of all pixels, and those that are not trained their moving statistics.
    """
    found = []
    for layer in layers:
        norm = layer.norm if isinstance(layer, ConditionalBatchNormalization) else layer
        if not isinstance(norm, keras.layers.BatchNormalization) or not norm.trainable:
            continue
        shape = (norm.get_build_config() or {}).get("input_shape")
        if shape and math.prod(size or 2 for size in shape[1:]) == shape[norm.axis]:
            found.append(layer.name)
    return found


def check_translator(name, generator):
    """Raises a ValueError for a translator whose outputs have another size than its inputs."""
    given, made = generator.input_shape, generator.output_shape
    if len(given) != 4 or len(made) != 4 or given[1:3] != made[1:3]:
        raise ValueError(
            f"The {name} must turn images (batch, height, width, channels) into images of the same "
            f"height and width. Received: input shape {given}, output shape {made}"
        )


def check_pair_fits(given, made, judged):
    """Raises a ValueError if a discriminator does not take an input and its output together."""
    if len(judged) != 4 or judged[1:] != (*made[1:3], given[-1] + made[-1]):
        raise ValueError(
            "The discriminator must take the input and target image together, with the channels of "
            f"both: build it for image_shape=({made[1]}, {made[2]}, {given[-1] + made[-1]}). "
            f"Received: generator from {given} to {made}, discriminator input {judged}"
        )


def check_cycle(generator_ab, generator_ba, identity_weight):
    """Raises a ValueError if two generators do not undo each other."""
    a, b = generator_ab.input_shape, generator_ba.input_shape
    if generator_ba.output_shape != a or generator_ab.output_shape != b:
        raise ValueError(
            "The two generators must go from A to B and back: the output of each has the shape of "
            f"the other's input. Received: generator_ab from {a} to {generator_ab.output_shape}, "
            f"generator_ba from {b} to {generator_ba.output_shape}"
        )
    if identity_weight and a != b:
        raise ValueError(
            "An image of B can be given to the generator of B only if A has as many channels: use "
            f"identity_weight=0. Received: A {a}, B {b}, identity_weight={identity_weight}"
        )


def check_distinct(**networks):
    """Raises a ValueError if one network is used in several places."""
    names = list(networks)
    for i, name in enumerate(names):
        for other in names[:i]:
            if networks[name] is networks[other]:
                raise ValueError(
                    "Each network learns something of its own: build one for each place, as in "
                    "*(patch_discriminator(image_shape) for _ in 'ab'). "
                    f"Received: the same network as {other} and {name}"
                )


def check_jitter(jitter, shape):
    """Raises a ValueError for a layer of random changes that does not keep the shape of images."""
    if jitter is None:
        return
    given = (None, *shape[1:])
    if not isinstance(jitter, keras.layers.Layer):
        raise ValueError(
            f"jitter must be a layer: jitter=kgan.layers.jitter({given[1:3]}). "
            f"Received: jitter={jitter!r}"
        )
    made = tuple(jitter.compute_output_shape(given))
    if len(made) != 4 or any(
        None not in (a, b) and a != b for a, b in zip(made, given, strict=True)
    ):
        raise ValueError(
            "jitter must give images of the size that the networks take: "
            f"jitter=kgan.layers.jitter({given[1:3]}). "
            f"Received: jitter from {given} to {made}"
        )
