"""The variational autoencoder, beside models whose likelihood is known exactly."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy import stats

import kgan
from kgan import likelihoods

LATENT, FEATURES, DEVIATION = 2, 5, 0.7


def orthogonal_weights():
    """Weights whose columns are orthogonal, so that the posterior has independent parts."""
    rng = np.random.default_rng(0)
    columns, _ = np.linalg.qr(rng.normal(size=(FEATURES, LATENT)))
    return (columns * [1.5, 0.6]).astype("float32"), rng.normal(size=FEATURES).astype("float32")


def principal_components():
    """Probabilistic PCA as a VAE: the encoder gives the exact posterior (Tipping and Bishop)."""
    weights, bias = orthogonal_weights()
    variances = 1 / (1 + (weights**2).sum(axis=0) / DEVIATION**2)
    x = keras.Input((FEATURES,))
    mean, log_variance = layers.Dense(LATENT), layers.Dense(LATENT, kernel_initializer="zeros")
    encoder = keras.Model(x, [mean(x), log_variance(x)])
    gain = weights / DEVIATION**2 * variances
    mean.set_weights([gain, -bias @ gain])
    log_variance.set_weights([np.zeros((FEATURES, LATENT)), np.log(variances)])
    z = keras.Input((LATENT,))
    linear = layers.Dense(FEATURES)
    decoder = keras.Model(z, linear(z))
    linear.set_weights([weights.T, bias])
    vae = kgan.VAE(encoder, decoder, likelihood=likelihoods.Gaussian(DEVIATION), seed=0)
    vae.compile()
    return vae, weights, bias


def rows(count=64):
    weights, bias = orthogonal_weights()
    rng = np.random.default_rng(1)
    noise = DEVIATION * rng.normal(size=(count, FEATURES))
    return (rng.normal(size=(count, LATENT)) @ weights.T + bias + noise).astype("float32")


def test_the_bound_is_exact_where_the_encoder_is():
    """Every importance weight is then the likelihood itself, and the mean of the ELBO is its."""
    vae, weights, bias = principal_components()
    covariance = weights @ weights.T + DEVIATION**2 * np.eye(FEATURES)
    exact = stats.multivariate_normal(bias, covariance).logpdf(rows())
    for samples in (1, 7):
        np.testing.assert_allclose(vae.log_likelihood(rows(), samples=samples), exact, atol=2e-4)
    found = [vae.evaluate(rows(), verbose=0, return_dict=True)["elbo"] for _ in range(40)]
    spread = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - exact.mean()) < 4 * spread + 1e-4


def test_the_bound_lies_above_the_elbo():
    images, _ = kgan.data.digits()
    vae = digits_vae()
    vae.fit(images[:512], batch_size=64, epochs=2, verbose=0)
    elbo = np.mean(
        [vae.evaluate(images[:32], verbose=0, return_dict=True)["elbo"] for _ in range(8)]
    )
    few, many = (vae.log_likelihood(images[:32], samples=n).mean() for n in (4, 200))
    assert elbo < few < many


def digits_vae(**options):
    keras.utils.set_random_seed(0)
    vae = kgan.VAE(
        kgan.networks.mlp_encoder((8, 8, 1), latent_dim=4, width=32),
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=32),
        seed=0,
        **options,
    )
    vae.compile()
    return vae


def test_log_probabilities_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x, made = rng.uniform(-1, 1, (2, 6, 3, 2)).astype("float32")
    binary = np.sign(x)
    p = (made.astype("float64") + 1) / 2
    for likelihood, images, expected in (
        (likelihoods.Bernoulli(), binary, stats.bernoulli(p).logpmf((binary + 1) / 2)),
        (likelihoods.Gaussian(0.3), x, stats.norm(made, 0.3).logpdf(x)),
    ):
        found = likelihood.log_probability(*map(ops.convert_to_tensor, (images, made)), -1.0, 1.0)
        expected = expected.reshape(6, -1).sum(axis=1)
        np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-4)


def test_the_divergence_is_the_mean_of_the_densities_difference():
    rng = np.random.default_rng(0)
    mean, log_variance = rng.normal(size=(2, 1, 3)).astype("float32")
    z = mean + np.exp(log_variance / 2) * rng.normal(size=(200_000, 3)).astype("float32")
    log_q = stats.norm(mean, np.exp(log_variance / 2)).logpdf(z).sum(axis=1)
    log_p = stats.norm.logpdf(z).sum(axis=1)
    mean, log_variance = map(ops.convert_to_tensor, (mean, log_variance))
    found = float(ops.convert_to_numpy(likelihoods.divergence(mean, log_variance))[0])
    assert found == pytest.approx((log_q - log_p).mean(), abs=0.02)
    z = ops.convert_to_tensor(z[:5])
    np.testing.assert_allclose(
        ops.convert_to_numpy(likelihoods.normal(z, mean, log_variance)), log_q[:5], rtol=1e-4
    )
    np.testing.assert_allclose(
        ops.convert_to_numpy(likelihoods.standard_normal(z)), log_p[:5], rtol=1e-4
    )


def test_beta_weighs_the_divergence_and_a_schedule_anneals_it():
    images, _ = kgan.data.digits()
    plain, none = digits_vae(), digits_vae(beta=0.0)
    schedule = keras.optimizers.schedules.PolynomialDecay(0.0, 10, 2.0)
    annealed = digits_vae(beta=schedule)
    shown = [each.train_on_batch(images[:64], return_dict=True) for each in (plain, none, annealed)]
    assert shown[0]["autoencoder_kl"] > 0 and shown[1]["autoencoder_kl"] == 0
    assert shown[2]["autoencoder_kl"] == 0  # of the first step; those after it count more
    assert annealed.train_on_batch(images[:64], return_dict=True)["autoencoder_kl"] > 0
    assert shown[0]["elbo"] == pytest.approx(shown[1]["elbo"], rel=1e-5)


def test_codes_reconstructions_and_files(tmp_path):
    images, labels = kgan.data.digits()
    keras.utils.set_random_seed(0)
    vae = kgan.VAE(
        kgan.networks.mlp_encoder((8, 8, 1), latent_dim=4, width=16, num_classes=10),
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=16, num_classes=10),
        num_classes=10,
        seed=0,
    )
    vae.compile(ema=0.9)
    vae.fit(images[:256], labels[:256], batch_size=64, epochs=2, verbose=0)
    codes = vae.encode(images[:3], labels[:3])
    again = vae.reconstruct(images[:3], labels[:3])
    assert codes.shape == (3, 4)
    np.testing.assert_allclose(again, vae.generate(3, latent=codes, label=labels[:3]), atol=1e-6)
    vae.save(tmp_path / "vae.keras")
    loaded = keras.saving.load_model(tmp_path / "vae.keras")
    np.testing.assert_array_equal(loaded.encode(images[:3], labels[:3]), codes)
    assert vae.export(tmp_path / "encoder.onnx", part="encoder", check=True).spec.outputs[0].name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beta": -1}, "beta must be"),
        ({"likelihood": "poisson"}, "likelihood must be one of"),
        ({"num_classes": 3}, r"encoder must have 2 inputs: image, label"),
        ({"num_classes": 3, "condition": kgan.Label(3)}, "in place of num_classes"),
    ],
)
def test_what_cannot_be_an_autoencoder(options, message):
    with pytest.raises(ValueError, match=message):
        digits_vae(**options)


def test_networks_that_do_not_fit_each_other():
    networks = kgan.networks
    encoder, decoder = networks.mlp_encoder((8, 8, 1), 4), networks.mlp_generator((8, 8, 1), 5)
    with pytest.raises(ValueError, match="same latent_dim"):
        kgan.VAE(encoder, decoder)
    linear = keras.Sequential([keras.Input((4,)), layers.Dense(64), layers.Reshape((8, 8, 1))])
    with pytest.raises(ValueError, match=r"tanh or a sigmoid, or take likelihood='gaussian'"):
        kgan.VAE(encoder, linear)
    with pytest.raises(ValueError, match="mean, log_variance"):
        kgan.VAE(networks.mlp_discriminator((8, 8, 1)), decoder)
