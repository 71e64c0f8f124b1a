"""Every model there is, small: those of kgan, and some as users write them."""

import keras
import numpy as np
from factory import acgan, conditional, cyclegan, dcgan, mlp_gan, pix2pix
from keras import layers, ops

import kgan

COUNT = 24
RNG = np.random.default_rng(0)


def dense(inputs, output, **options):
    """A network from one or several tensors to one, through a hidden layer."""
    given = [keras.Input(shape) for shape in inputs]
    flat = [layers.Flatten()(each) for each in given]
    x = layers.Dense(16, activation="silu")(layers.Concatenate()(flat) if flat[1:] else flat[0])
    x = layers.Dense(int(np.prod(output)), **options)(x)
    return keras.Model(given if given[1:] else given[0], layers.Reshape(output)(x))


class Told:
    """The constructor of a user's model with two players, and how it judges."""

    def __init__(self, generator, discriminator, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.generator, self.discriminator = generator, discriminator

    def unpack(self, data):
        x, condition, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.cast(x, "float32"), ops.cast(condition, "float32")

    def play(self, batch, training=True):
        latents = self.sample_latents(ops.shape(batch[0])[0])
        generator = self.in_use(self.generator, training)
        return {"made": generator([latents, batch[1]], training=training)}

    def discriminator_loss(self, batch, outputs, training=True):
        def judge(x):
            return self.discriminator([x, batch[1]], training=training)

        return self.judging_terms(judge, batch[0], outputs["made"])

    def generator_loss(self, batch, outputs, training=True):
        fake = self.discriminator([outputs["made"], batch[1]], training=training)
        return {"adversarial": self.game.generator(None, fake)}


@keras.saving.register_keras_serializable("kgan_tests")
class Rows(Told, kgan.AdversarialModel):
    """Rows of numbers, each of a condition."""

    @property
    def takes(self):
        return (kgan.Latent((4,)), kgan.Given("condition", (2,)))


@keras.saving.register_keras_serializable("kgan_tests")
class Walks(Told, kgan.AdversarialModel):
    """Sequences `(time, features)`, each of what came before it."""

    @property
    def takes(self):
        return (kgan.Latent((4,)), kgan.Given("past", (5, 2)))


@keras.saving.register_keras_serializable("kgan_tests")
class Coder(kgan.AdversarialModel):
    """Three players: an encoder and a decoder, which is also the generator, and a judge."""

    makers = ("encoder", "decoder")

    def __init__(self, encoder, decoder, discriminator, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.encoder, self.decoder, self.discriminator = encoder, decoder, discriminator

    @property
    def generator(self):
        return self.decoder

    def play(self, batch, training=True):
        encoder, decoder = (self.in_use(x, training) for x in (self.encoder, self.decoder))
        code = encoder(batch, training=training)
        made = decoder(self.sample_latents(ops.shape(batch)[0]), training=training)
        return {"code": code, "again": decoder(code, training=training), "made": made}

    def discriminator_loss(self, batch, outputs, training=True):
        def judge(x):
            return self.discriminator(x, training=training)

        return self.judging_terms(judge, batch, outputs["made"])

    def encoder_loss(self, batch, outputs, training=True):
        code = ops.cast(outputs["code"], "float32")
        return {"again": self._distance(batch, outputs), "code": 0.01 * ops.mean(code**2)}

    def decoder_loss(self, batch, outputs, training=True):
        fake = self.discriminator(outputs["made"], training=training)
        adversarial = self.game.generator(None, fake)
        return {"again": self._distance(batch, outputs), "adversarial": adversarial}

    def _distance(self, batch, outputs):
        return ops.mean((ops.cast(outputs["again"], "float32") - batch) ** 2)


@keras.saving.register_keras_serializable("kgan_tests")
class Moments(kgan.AdversarialModel):
    """Nobody judges: a generator learns the mean and the deviation of the rows."""

    judges = ()

    def __init__(self, generator, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.generator = generator

    def play(self, batch, training=True):
        latents = self.sample_latents(ops.shape(batch)[0])
        return {"made": self.in_use(self.generator, training)(latents, training=training)}

    def generator_loss(self, batch, outputs, training=True):
        made = ops.cast(outputs["made"], "float32")
        mean = ops.mean((ops.mean(made, axis=0) - ops.mean(batch, axis=0)) ** 2)
        deviation = ops.mean((ops.std(made, axis=0) - ops.std(batch, axis=0)) ** 2)
        return {"mean": mean, "deviation": deviation}


def own(kind, *networks):
    """A maker of a compiled model of this kind from its networks, given as arguments of `dense`."""

    def make():
        keras.utils.set_random_seed(0)
        model = kind(*(dense(*each, dtype="float32") for each in networks), seed=0)
        model.compile(ema=0.9)
        return model

    return make


def conditioned():
    """kgan's own conditional GAN, told numbers in place of a class."""
    keras.utils.set_random_seed(0)
    networks = dense([(4,), (2,)], (8, 8, 1), activation="tanh"), dense([(8, 8, 1), (2,)], (1,))
    gan = kgan.ConditionalGAN(*networks, condition=kgan.Given("condition", (2,)), seed=0)
    gan.compile(ema=0.9)
    return gan


def vae():
    keras.utils.set_random_seed(0)
    networks = kgan.networks
    vae = kgan.VAE(
        networks.mlp_encoder((8, 8, 1), latent_dim=4, width=8),
        networks.mlp_generator((8, 8, 1), latent_dim=4, width=8),
        seed=0,
    )
    vae.compile(ema=0.9)
    return vae


def images(channels=1):
    return np.tanh(RNG.normal(size=(COUNT, 8, 8, channels))).astype("float32")


LABELS, ROWS = np.arange(COUNT) % 3, RNG.normal(size=(COUNT, 12)).astype("float32")
CONDITIONS = RNG.uniform(size=(COUNT, 2)).astype("float32")
PAST, FUTURE = (RNG.normal(size=(COUNT, n, 2)).cumsum(axis=1).astype("float32") for n in (5, 3))
AVERAGED = {"ema": 0.9}

# By name: a maker of the model, and what `fit` is given.
MODELS = {
    "gan-mlp": (lambda: mlp_gan(**AVERAGED), (images(),)),
    "gan-dcgan": (lambda: dcgan(**AVERAGED), (images(),)),
    "conditional-labels": (lambda: conditional(**AVERAGED), (images(), LABELS)),
    "conditional-numbers": (conditioned, (images(), CONDITIONS)),
    "acgan": (lambda: acgan(**AVERAGED), (images(), LABELS)),
    "vae": (vae, (images(),)),
    "pix2pix": (lambda: pix2pix(compiled=AVERAGED), (images(3), images())),
    "cyclegan": (lambda: cyclegan(compiled=AVERAGED, pool_size=8), (images(3), images(3))),
    "own-rows": (
        own(Rows, ([(4,), (2,)], (12,)), ([(12,), (2,)], (1,))),
        (ROWS, CONDITIONS),
    ),
    "own-sequences": (
        own(Walks, ([(4,), (5, 2)], (3, 2)), ([(3, 2), (5, 2)], (1,))),
        (FUTURE, PAST),
    ),
    "own-three-players": (
        own(Coder, ([(12,)], (4,)), ([(4,)], (12,)), ([(12,)], (1,))),
        (ROWS,),
    ),
    "own-no-judge": (own(Moments, ([(4,)], (12,))), (ROWS,)),
}
