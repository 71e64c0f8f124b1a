"""Checks of batch sizes."""

import warnings

import keras


def check_divisible(batch, discriminator_steps, devices=1):
    """Raises a ValueError for a batch that cannot be split among the discriminator's turns."""
    size = len(keras.tree.flatten(batch)[0])
    if size % (discriminator_steps * devices):
        times = f" times {devices}, the number of devices" if devices > 1 else ""
        raise ValueError(
            f"A batch of your own data is split among the {discriminator_steps} turns of the "
            f"discriminator: make its size a multiple of discriminator_steps{times}. "
            f"Received: a batch of {size} with discriminator_steps={discriminator_steps}"
        )


def check_enough(batch, smallest, batch_size=None, norms=()):
    """Raises a ValueError for fewer samples than a step needs.

    Args:
        batch: a batch, or arrays of all the data.
        smallest: how many it needs.
        batch_size: of arrays, how many a step gets.
        norms: names of batch normalisations that need two samples, see `single_value_norms`.
    """
    count = max(map(len, keras.tree.flatten(batch)))
    if min(count, batch_size or count) < smallest:
        size = f", {batch_size} of them a step" if batch_size else ""
        if norms:
            raise ValueError(
                "Batch normalisation of a single value gives its shift alone, whatever the sample "
                f"is: a step needs at least {smallest} samples, two for each turn of the "
                "discriminator, each device and each pack. Give more at a time, or build the "
                "networks without these layers. "
                f"Received: {count} samples{size}, with {', '.join(norms)}"
            )
        raise ValueError(
            f"A step needs at least {smallest} samples, for each turn of the discriminator, each "
            "device and each pack: give more at a time, or take fewer discriminator_steps. "
            f"Received: {count} samples{size}"
        )


def check_shares(arrays, batch_size, devices):
    """Raises a ValueError if some batch of arrays cannot be shared equally among the devices.

    Keras would share it unequally on TensorFlow, whose mean over the devices is then no longer
    that of the samples, or NaN where a device gets none; on JAX it raises from inside XLA.
    """
    count = len(keras.tree.flatten(arrays)[0])
    if count % devices or (batch_size or devices) % devices:
        raise ValueError(
            f"On {devices} devices each gets the same share of every batch: make batch_size a "
            f"multiple of {devices}, and leave out the last few images, for example with "
            f"images[: len(images) // {devices} * {devices}]. "
            f"Received: {count} images, batch_size={batch_size}"
        )


def whole_turns(arrays, batch_size, smallest):
    """Drops the last samples, with a warning, if they are too few for a step."""
    count = len(keras.tree.flatten(arrays)[0])
    rest = count % batch_size
    if rest >= smallest or rest == 0:
        return arrays
    warnings.warn(
        f"The last samples are left out: a batch of them has fewer than the {smallest} that the "
        "turns, devices, packs and batch normalisation of a step need. Take another batch_size "
        "to use every sample. "
        f"Received: a last batch of {rest}, with batches of {batch_size}",
        stacklevel=4,
    )
    return keras.tree.map_structure(
        lambda array: None if array is None else array[: count - rest], arrays
    )
