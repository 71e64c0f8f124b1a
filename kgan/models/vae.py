"""The autoencoder beside the GAN: it learns what each image is, and how likely."""

import math

import keras
import numpy as np
from keras import ops

from kgan import checks, likelihoods
from kgan.checks.value_range import value_range
from kgan.generation.inputs import Given
from kgan.models.adversarial import AdversarialModel
from kgan.models.conditions import Conditioned, declared
from kgan.utils import numbers

AT_ONCE = 4096  # latents that are decoded at a time for `log_likelihood`


@keras.saving.register_keras_serializable("kgan")
class VAE(Conditioned, AdversarialModel):
    r"""An encoder of images into latents and a decoder back, which also generates.

    It maximises a bound on the log-likelihood of each image, the ELBO,
    $E_{q(z|x)}[\log p(x|z)] - KL(q(z|x) \,\|\, p(z))$, with one draw of z for each image. There is
    no adversary: one player, `autoencoder`, owns both networks. What `fit` shows: `elbo`,
    `autoencoder_reconstruction` (the negative log-likelihood) and `autoencoder_kl` (times beta), in
    nats for each image.

    Args:
        encoder: a built Keras model from images to `[mean, log_variance]`, each
            `(batch, latent_dim)`, such as `kgan.networks.dcgan_encoder`; with conditions from
            `[images, *conditions]`.
        decoder: a built Keras model from latents `(batch, latent_dim)` to images, such as any
            generator of `kgan.networks`; with conditions from `[latents, *conditions]`.
        beta: factor of the divergence: a number, or a schedule such as
            `keras.optimizers.schedules.PolynomialDecay(0.0, steps, 1.0)`, which anneals it (Bowman
            et al., 2016, arXiv:1511.06349). Above 1 it asks for latents that are independent of
            each other (Higgins et al., beta-VAE, 2017). `elbo` is that of beta 1 in any case.
            Default: 1.
        likelihood: `"bernoulli"` (default), `"gaussian"`, or an object of `kgan.likelihoods`.
        num_classes: how many classes there are, for networks that are told one. Default: None.
        condition: what else they are told, as for `kgan.ConditionalGAN`. Default: None.
        seed: seed of the noise in training. Default: a random one.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Raises:
        ValueError: if a network is not built, has other inputs or outputs, or the two do not fit
            each other, beta is negative, or the likelihood does not fit the decoder.

    Example:

    ```python
    images, _ = kgan.data.digits()
    vae = kgan.VAE(
        kgan.networks.mlp_encoder((8, 8, 1), latent_dim=8),
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=8),
    )
    vae.compile()
    vae.fit(images, batch_size=64, epochs=20)
    samples = vae.generate(16, seed=0)  # (16, 8, 8, 1), float32 in [-1, 1]
    codes = vae.encode(images[:16])  # (16, 8), the means
    again = vae.reconstruct(images[:16])
    bound = vae.log_likelihood(images[:16], samples=500).mean()  # above the ELBO
    vae.export("decoder.onnx")
    vae.export("encoder.onnx", part="encoder")
    ```

    Reference: Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114).
    """

    judges = ()
    makers = ("autoencoder",)

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        beta=1.0,
        likelihood="bernoulli",
        num_classes: int | None = None,
        condition=None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        checks.check_built(encoder=encoder, decoder=decoder)
        checks.check_distinct(encoder=encoder, decoder=decoder)
        self.encoder, self.decoder = encoder, decoder
        self.num_classes, self.condition = num_classes, condition
        self.conditions = declared(num_classes, condition)
        scheduled = isinstance(beta, keras.optimizers.schedules.LearningRateSchedule)
        self.beta = beta if scheduled else numbers.factor("beta", beta)
        self.likelihood = likelihoods.get(likelihood)
        self.check_networks()

    @property
    def generator(self):
        """The decoder, which `generate`, `predict` and `export` use."""
        return self.decoder

    @property
    def autoencoders(self):
        """The networks of the one player."""
        return (self.encoder, self.decoder)

    def check_networks(self):
        """Raises a ValueError if the networks do not fit each other or this model."""
        names = [each.name for each in self.conditions]
        checks.check_inputs("encoder", self.encoder, ["image", *names])
        checks.check_inputs("decoder", self.decoder, ["latent", *names])
        shapes, latent = self.encoder.output_shape, (None, *self.latent_shape)
        if not isinstance(shapes, list) or [tuple(shape) for shape in shapes] != [latent] * 2:
            raise ValueError(
                "The encoder must give [mean, log_variance], each of the shape of the decoder's "
                f"latent, {latent}: build both for the same latent_dim. "
                f"Received: encoder output shape {shapes}"
            )
        checks.check_fit(self.decoder.output_shape, _first(self.encoder.input_shape))
        if isinstance(self.likelihood, likelihoods.Bernoulli) and not math.isfinite(self._range[1]):
            raise ValueError(
                "A Bernoulli likelihood needs pixels between two ends: let the decoder end in tanh "
                "or a sigmoid, or take likelihood='gaussian'. "
                f"Received: a decoder with the range {self._range}"
            )

    @property
    def _range(self):
        return value_range(self.decoder) or (-math.inf, math.inf)

    def compile(self, optimizer=None, **options):
        """Chooses the optimizer.

        Args:
            optimizer: a `keras.optimizers.Optimizer` or its name. Default: Adam with rate 1e-3.
            **options: `ema`, `metrics`, `run_eagerly`, `steps_per_execution` and `jit_compile` of
                `AdversarialModel.compile`.
        """
        optimizer = options.pop("autoencoder_optimizer", optimizer)
        if optimizer is None:
            optimizer = keras.optimizers.Adam(1e-3)
        super().compile(autoencoder_optimizer=optimizer, **options)

    def play(self, batch, training=True):
        encoder, decoder = (self.in_use(each, training) for each in self.autoencoders)
        given = list(self.given_in(batch).values())
        mean, log_variance = encoder(_one_or_list([batch[0], *given]), training=training)
        mean, log_variance = (ops.cast(each, "float32") for each in (mean, log_variance))
        noise = self.sample_latents(ops.shape(mean)[0])
        latents = mean + ops.exp(log_variance / 2) * noise
        image = decoder(_one_or_list([latents, *given]), training=training)
        return {
            "mean": mean,
            "log_variance": log_variance,
            "image": ops.cast(image, "float32"),
        }

    def autoencoder_loss(self, batch, outputs, training=True):
        log_p = self.likelihood.log_probability(batch[0], outputs["image"], *self._range)
        divergence = likelihoods.divergence(outputs["mean"], outputs["log_variance"])
        self.track(elbo=log_p - divergence)
        return {
            "reconstruction": -ops.mean(log_p),
            "kl": self._beta(training) * ops.mean(divergence),
        }

    def _beta(self, training):
        if not callable(self.beta):
            return self.beta
        return self.beta(ops.cast(self.optimizer.iterations, "float32")) if training else 1.0

    # Of a trained model -----------------------------------------------------------------------

    def encode(self, images, *given, batch_size: int = 64):
        """Returns the latents of images, the means of what the encoder gives.

        Args:
            images: float array `(n, height, width, channels)` in the decoder's range.
            *given: labels or other conditions, one for each image.
            batch_size: how many at a time. Default: 64.

        Returns:
            float32 NumPy array `(n, latent_dim)`; `kgan.latent` walks between them.

        Raises:
            ValueError: if the images or conditions do not fit.
        """
        return self._encoded(images, given, batch_size)[0]

    def _encoded(self, images, given, batch_size):
        checks.check_images(images, self.made_shapes[0], "encoder")
        given = self.checked_conditions(given, len(images)) if given or self.conditions else []
        self.refresh_averages()
        network = self.in_use(self.encoder, training=False)
        return self.images_of(images, *given, batch_size=batch_size, network=network)

    def reconstruct(self, images, *given, batch_size: int = 64) -> np.ndarray:
        """Returns what the decoder makes of the codes of images.

        Args:
            images, *given, batch_size: as for `encode`.

        Returns:
            float32 NumPy array like the images.
        """
        codes = self.encode(images, *given, batch_size=batch_size)
        return self.images_of(codes, *given, batch_size=batch_size)

    def log_likelihood(self, images, *given, samples: int = 500, seed: int = 0) -> np.ndarray:
        r"""Returns the importance-weighted bound on the log-likelihood of each image, in nats.

        $\log \frac1K \sum_k p(x|z_k) p(z_k) / q(z_k|x)$ with K draws from the encoder's normal: at
        least the ELBO, and nearer to the truth the more there are.

        Args:
            images, *given: as for `encode`.
            samples: K. Default: 500.
            seed: seed of the draws. Default: 0.

        Returns:
            float32 NumPy array `(n,)`.

        Reference: Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2016
        (arXiv:1509.00519), equation 8.
        """
        samples = numbers.count("samples", samples)
        rng = np.random.default_rng(numbers.fixed_seed(seed))
        means, log_variances = self._encoded(images, given, 64)
        found = []
        for i, image in enumerate(np.asarray(images, "float32")):
            mean, log_variance = means[i : i + 1], log_variances[i : i + 1]
            noise = rng.standard_normal((samples, *mean.shape[1:]), np.float32)
            latents = mean + np.exp(log_variance / 2) * noise
            told = [np.repeat(np.asarray(each)[i : i + 1], samples, axis=0) for each in given]
            made = self.images_of(latents, *told, batch_size=min(samples, AT_ONCE))
            image, made, latents, mean, log_variance = map(
                ops.convert_to_tensor, (image[None], made, latents, mean, log_variance)
            )
            weights = (
                self.likelihood.log_probability(image, made, *self._range)
                + likelihoods.standard_normal(latents)
                - likelihoods.normal(latents, mean, log_variance)
            )
            found.append(ops.convert_to_numpy(ops.logsumexp(weights)) - math.log(samples))
        return np.asarray(found, "float32")

    def export(self, path, formats=None, part: str = "decoder", **options):
        """Exports the decoder, or the encoder, see `AdversarialModel.export`.

        Args:
            path, formats, **options: see there.
            part: `"decoder"` (default), from `latent` to `image`; or `"encoder"`, from `image` to
                `mean` and `log_variance`.
        """
        numbers.choice("part", part, ("decoder", "encoder"))
        if part == "decoder":
            return self.export_generator(self.decoder, path, formats, options)
        names = {"name": "encoder", "output_names": ["mean", "log_variance"]}
        return self.export_generator(self.encoder, path, formats, {**names, **options})

    def takes_of(self, generator):
        if generator is not self.encoder:
            return self.takes
        low, high = self._range
        known = (low, high) if math.isfinite(high) else None
        return (Given("image", _first(generator.input_shape)[1:], known), *self.conditions)


def _first(shapes):
    return shapes[0] if isinstance(shapes, list) else shapes


def _one_or_list(inputs):
    return inputs[0] if len(inputs) == 1 else inputs
