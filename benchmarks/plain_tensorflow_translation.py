"""The step of pix2pix written by hand in plain TensorFlow, the same networks as kgan's.

    python benchmarks/translation_step.py

One `tf.function` for the step, the fused kernels of batch norm (which is instance norm for one
image) and Adam, one pass through the generator for both turns.
"""

import itertools

import tensorflow as tf
from plain_tensorflow import Adam, Network, double, halve

L1_WEIGHT = 100.0


class Normed(Network):
    """A network whose norms take the statistics of the batch, which is one image."""

    def add_instance_norm(self, filters):
        gamma, beta = self.add(filters, value=1.0), self.add(filters, value=0.0)

        def norm(x):
            return tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, epsilon=1e-5)[0]

        return norm

    def add_conv(self, before, after, bias, transposed=False):
        """Returns the kernel of a convolution of 4 pixels, and its bias or None."""
        kernel = self.add(4, 4, *((after, before) if transposed else (before, after)))
        return kernel, self.add(after, value=0.0) if bias else None


class UNet(Normed):
    """The network of `kgan.networks.unet_generator` for a square of a power of two pixels."""

    def __init__(self, size, width, dropout=0.5, channels=3):
        super().__init__()
        self.dropout = dropout
        depth = min(size.bit_length() - 1, 8)
        filters = [width * 2 ** min(step, 3) for step in range(depth)]
        self.down, self.up = [], []
        for step, (before, after) in enumerate(itertools.pairwise([channels, *filters])):
            normed = 0 < step < depth - 1
            conv = self.add_conv(before, after, bias=not normed)
            self.down.append((*conv, self.add_instance_norm(after) if normed else None))
        before = filters[-1]
        for skip in reversed(filters[:-1]):
            kernel, _ = self.add_conv(before, skip, bias=False, transposed=True)
            self.up.append((kernel, self.add_instance_norm(skip)))
            before = 2 * skip
        self.last = self.add_conv(before, channels, bias=True, transposed=True)

    def __call__(self, x):
        maps = []
        for step, (kernel, bias, norm) in enumerate(self.down):
            x = halve(tf.nn.leaky_relu(x, 0.2) if step else x, kernel)
            x = norm(x) if norm else x + bias
            maps.append(x)
        x = tf.nn.relu(maps.pop())
        for block, (kernel, norm) in enumerate(self.up):
            x = norm(double(x, kernel))
            x = tf.nn.dropout(x, self.dropout) if block < 3 and self.dropout else x
            x = tf.nn.relu(tf.concat([x, maps.pop()], -1))
        kernel, bias = self.last
        return tf.tanh(double(x, kernel) + bias)


class Patch(Normed):
    """The network of `kgan.networks.patch_discriminator` with fields of 70 pixels."""

    def __init__(self, width, channels):
        super().__init__()
        sizes = [(channels, width, 2), (width, 2 * width, 2), (2 * width, 4 * width, 2)]
        self.layers = []
        for step, (before, after, stride) in enumerate([*sizes, (4 * width, 8 * width, 1)]):
            conv = self.add_conv(before, after, bias=step == 0)
            self.layers.append((stride, *conv, self.add_instance_norm(after) if step else None))
        self.last = self.add_conv(8 * width, 1, bias=True)

    def __call__(self, x):
        for stride, kernel, bias, norm in self.layers:
            x = tf.nn.conv2d(x, kernel, stride, "SAME")
            x = tf.nn.leaky_relu(norm(x) if norm else x + bias, 0.2)
        kernel, bias = self.last
        return tf.nn.conv2d(x, kernel, 1, "SAME") + bias


class Pix2Pix:
    """The conditional GAN with L1, non-saturating."""

    def __init__(self, size, width, dropout=0.5):
        self.generator, self.discriminator = UNet(size, width, dropout), Patch(width, 6)
        self.optimizers = [Adam(net.values) for net in (self.generator, self.discriminator)]
        self._train_step = tf.function(self._step)

    def parameters(self):
        """The trainable parameters of the generator and of the discriminator."""
        return [
            sum(variable.shape.num_elements() for variable in network.values)
            for network in (self.generator, self.discriminator)
        ]

    def load(self, generator_values, discriminator_values):
        """Takes over the trainable values of the Keras networks, in Keras's order and layout."""
        variables = self.generator.values + self.discriminator.values
        values = [*generator_values, *discriminator_values]
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def train(self, inputs, targets):
        """One step for each pair of NumPy images; their losses, discriminator's first."""
        losses = [
            self._train_step(tf.constant(a[None]), tf.constant(b[None]))
            for a, b in zip(inputs, targets, strict=True)
        ]
        return [each.numpy().tolist() for each in losses]

    def _step(self, inputs, targets):
        generator, discriminator = self.generator, self.discriminator
        with tf.GradientTape(watch_accessed_variables=False) as play:
            play.watch(generator.values)
            made = generator(inputs)
        with tf.GradientTape(watch_accessed_variables=False) as judge:
            judge.watch(discriminator.values)
            real = discriminator(tf.concat([inputs, targets], -1))
            fake = discriminator(tf.concat([inputs, made], -1))
            judged = _mean_softplus(-real) + _mean_softplus(fake)
        self.optimizers[1].apply(judge.gradient(judged, discriminator.values))
        with tf.GradientTape(watch_accessed_variables=False) as learn:
            learn.watch(made)
            fooled = _mean_softplus(-discriminator(tf.concat([inputs, made], -1)))
            fooled += L1_WEIGHT * tf.reduce_mean(tf.abs(targets - made))
        self.optimizers[0].apply(
            play.gradient(made, generator.values, output_gradients=learn.gradient(fooled, made))
        )
        return tf.stack([judged, fooled])


def _mean_softplus(x):
    return tf.reduce_mean(tf.nn.softplus(x))
