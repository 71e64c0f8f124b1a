"""The DCGAN step written by hand in plain TensorFlow, which kgan on TensorFlow is compared with.

    python benchmarks/train_step.py --only plain-tensorflow kgan-tensorflow

Its best form on a CPU: one `tf.function` for the whole step (with and without XLA), fused kernels
for batch norm and Adam, one pass through the generator a step for both turns, gradients for nothing
but the player that learns. No Keras.
"""

import itertools
import math

import tensorflow as tf

# TensorFlow's pass that fuses operations trips over a LeakyReLU that has a gradient ("remapper
# failed"), and then leaves the graph as it was: without the pass it is the same graph.
tf.config.optimizer.set_experimental_options({"remapping": False})

NOTES = "one tf.function a step, FusedBatchNormV3, ResourceApplyAdam"


class Network(tf.Module):
    """What both networks are made of; `values` holds the variables in Keras's order."""

    def __init__(self):
        super().__init__()
        self.values = []
        self.moving = {}

    def add(self, *shape, value=None):
        """Returns a new variable: a kernel drawn with deviation 0.02, or all of one value."""
        if value is None:
            self.values.append(tf.Variable(tf.random.normal(shape, stddev=0.02)))
        else:
            self.values.append(tf.Variable(tf.fill(shape, value)))
        return self.values[-1]

    def add_norm(self, filters):
        """Returns a batch norm as a function; it takes over the new moving statistics itself."""
        gamma, beta = self.add(filters, value=1.0), self.add(filters, value=0.0)
        mean, variance = tf.Variable(tf.zeros(filters)), tf.Variable(tf.ones(filters))
        self.moving[len(self.moving)] = mean, variance

        def norm(x):
            result = tf.raw_ops.FusedBatchNormV3(
                x=x,
                scale=gamma,
                offset=beta,
                mean=mean,
                variance=variance,
                epsilon=1e-5,
                # The weight of the new value: 0.1 here is a momentum of 0.9 in Keras.
                exponential_avg_factor=0.1,
            )
            mean.assign(result.batch_mean)
            variance.assign(result.batch_variance)
            return result.y

        return norm


class Generator(Network):
    """The network of `kgan.networks.dcgan_generator`, for sizes that need no cropping."""

    def __init__(self, size, width, latent_dim, channels):
        super().__init__()
        steps = int(math.log2(size / 4))
        filters = [width * 2**step for step in reversed(range(steps))]
        self.size = size // 2**steps
        self.dense = self.add(latent_dim, self.size**2 * filters[0])
        self.first_norm = self.add_norm(filters[0])
        self.kernels, self.norms = [], []
        for before, after in itertools.pairwise(filters):
            self.kernels.append(self.add(4, 4, after, before))
            self.norms.append(self.add_norm(after))
        self.last = self.add(4, 4, channels, filters[-1])
        self.bias = self.add(channels, value=0.0)

    def __call__(self, latents):
        x = tf.reshape(latents @ self.dense, (len(latents), self.size, self.size, -1))
        x = tf.nn.relu(self.first_norm(x))
        for kernel, norm in zip(self.kernels, self.norms, strict=True):
            x = tf.nn.relu(norm(double(x, kernel)))
        return tf.tanh(tf.nn.bias_add(double(x, self.last), self.bias))


class Discriminator(Network):
    """The network of `kgan.networks.dcgan_discriminator`."""

    def __init__(self, size, width, channels):
        super().__init__()
        steps = int(math.log2(size / 4))
        filters = [width * 2**step for step in range(steps)]
        self.first = self.add(4, 4, channels, width)
        self.bias = self.add(width, value=0.0)
        self.kernels, self.norms = [], []
        for before, after in itertools.pairwise(filters):
            self.kernels.append(self.add(4, 4, before, after))
            self.norms.append(self.add_norm(after))
        self.dense = self.add((size // 2**steps) ** 2 * filters[-1], 1)
        self.dense_bias = self.add(1, value=0.0)

    def __call__(self, x):
        x = tf.nn.leaky_relu(tf.nn.bias_add(halve(x, self.first), self.bias), 0.2)
        for kernel, norm in zip(self.kernels, self.norms, strict=True):
            x = tf.nn.leaky_relu(norm(halve(x, kernel)), 0.2)
        return tf.reshape(x, (len(x), -1)) @ self.dense + self.dense_bias


def halve(x, kernel):
    return tf.nn.conv2d(x, kernel, 2, "SAME")


def double(x, kernel):
    batch, height, width, _ = x.shape
    return tf.nn.conv2d_transpose(x, kernel, (batch, 2 * height, 2 * width, kernel.shape[2]), 2)


class Adam(tf.Module):
    """Adam(2e-4, beta_1=0.5), one fused kernel for each variable."""

    def __init__(self, variables):
        super().__init__()
        self.variables_ = variables
        self.moments = [[tf.Variable(tf.zeros_like(v)) for _ in range(2)] for v in variables]
        self.beta_1_power, self.beta_2_power = tf.Variable(0.5), tf.Variable(0.999)

    def apply(self, gradients):
        for variable, (m, v), gradient in zip(
            self.variables_, self.moments, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=self.beta_1_power,
                beta2_power=self.beta_2_power,
                lr=2e-4,
                beta1=0.5,
                beta2=0.999,
                epsilon=1e-7,
                grad=gradient,
            )
        self.beta_1_power.assign(self.beta_1_power * 0.5)
        self.beta_2_power.assign(self.beta_2_power * 0.999)


class PlainTensorFlow:
    """A GAN and its loop.

    Args:
        images: the data, float32 NumPy array `(count, size, size, channels)` in [-1, 1].
        width, batch, latent_dim: as in the networks and the loop.
        jit_compile: whether XLA compiles the step.
    """

    def __init__(self, images, width, batch, latent_dim, jit_compile=False):
        _, size, _, channels = images.shape
        self.batch, self.latent_dim = batch, latent_dim
        self.images = tf.constant(images)
        self.generator = Generator(size, width, latent_dim, channels)
        self.discriminator = Discriminator(size, width, channels)
        self.generator_optimizer = Adam(self.generator.values)
        self.discriminator_optimizer = Adam(self.discriminator.values)
        self.totals = tf.Variable(tf.zeros(2))
        self._given_step = tf.function(self._step, jit_compile=jit_compile)
        self._train_step = tf.function(self._drawing_step, jit_compile=jit_compile)

    def parameters(self):
        """The trainable parameters of the generator and of the discriminator."""
        return [
            sum(variable.shape.num_elements() for variable in network.values)
            for network in (self.generator, self.discriminator)
        ]

    def load(self, generator_values, discriminator_values):
        """Takes over the trainable values of the Keras networks, in Keras's order and layout."""
        variables = self.generator.values + self.discriminator.values
        for variable, value in zip(
            variables, [*generator_values, *discriminator_values], strict=True
        ):
            variable.assign(value)

    def train(self, steps):
        """Trains on fresh random batches and returns the mean losses, as `fit` does."""
        order = tf.random.shuffle(tf.range(len(self.images)))[: steps * self.batch]
        self.totals.assign(tf.zeros(2))
        for rows in tf.reshape(order, (steps, self.batch)):
            self._train_step(tf.gather(self.images, rows))
        return (self.totals.numpy() / steps).tolist()

    def step(self, images, latents):
        """One step on given NumPy arrays. Returns the discriminator's and the generator's loss."""
        return self._given_step(tf.constant(images), tf.constant(latents)).numpy().tolist()

    def _drawing_step(self, real):
        self.totals.assign_add(self._step(real, tf.random.normal((self.batch, self.latent_dim))))

    def _step(self, real, latents):
        with tf.GradientTape(watch_accessed_variables=False) as play:
            play.watch(self.generator.values)
            fake = self.generator(latents)

        with tf.GradientTape(watch_accessed_variables=False) as judge:
            judge.watch(self.discriminator.values)
            real_logits = self.discriminator(real)
            fake_logits = self.discriminator(fake)  # the tape does not reach back into `play`
            discriminator_loss = _mean_softplus(-real_logits) + _mean_softplus(fake_logits)
        self.discriminator_optimizer.apply(
            judge.gradient(discriminator_loss, self.discriminator.values)
        )

        with tf.GradientTape(watch_accessed_variables=False) as learn:
            learn.watch(fake)
            generator_loss = _mean_softplus(-self.discriminator(fake))
        fake_gradient = learn.gradient(generator_loss, fake)
        self.generator_optimizer.apply(
            play.gradient(fake, self.generator.values, output_gradients=fake_gradient)
        )
        return tf.stack([discriminator_loss, generator_loss])


def _mean_softplus(x):
    return tf.reduce_mean(tf.nn.softplus(x))
