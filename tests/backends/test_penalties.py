"""Penalties against closed forms, second derivatives included, on every backend."""

import keras
import numpy as np
import pytest
from factory import dcgan, mlp_gan
from keras import ops

import kgan
from kgan import penalties

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(16, 3)).astype("float32")


class NoGame(kgan.losses.Game):
    """Leaves the penalty as the discriminator's only term to learn from."""

    def discriminator(self, real, fake):
        return 0.0 * ops.mean(real)

    def generator(self, real, fake):
        return 0.0 * ops.mean(fake)


def quadratic_gan(penalty, rate=0.1):
    """D(x) = (w x)^2 / 2, whose gradient for x is (w x) w."""
    image = keras.Input((3,))
    product = keras.layers.Dense(1, use_bias=False)(image)
    discriminator = keras.Model(image, product * product / 2)
    gan = kgan.GAN(kgan.networks.mlp_generator((3,), 2, 4), discriminator)
    gan.compile(
        loss=NoGame(),
        penalties=[penalty],
        generator_optimizer=keras.optimizers.SGD(0.0),
        discriminator_optimizer=keras.optimizers.SGD(rate),
    )
    return gan


def step(gan, points=POINTS):
    """The logs of one step, and the discriminator's weight before and after."""
    (kernel,) = gan.discriminator.trainable_variables
    before = np.array(kernel.numpy())[:, 0]
    logs = gan.train_on_batch(points, return_dict=True)
    return logs, before, np.array(kernel.numpy())[:, 0]


def test_r1_and_its_derivative_for_the_weights():
    logs, w, after = step(quadratic_gan(penalties.R1(3.0)))
    wx, ww = POINTS @ w, w @ w
    assert logs["discriminator_r1"] == pytest.approx(3 * np.mean(wx**2 * ww) / 2, rel=1e-5)
    slope = np.mean((wx * ww)[:, None] * POINTS + (wx**2)[:, None] * w, axis=0)
    np.testing.assert_allclose(after, w - 0.1 * 3.0 * slope, rtol=1e-4)


def test_r2_is_r1_at_the_fakes():
    gan = quadratic_gan(penalties.R2(3.0))
    fakes = []
    play = gan.play
    gan.run_eagerly = True

    def recorded(batch, training=True):
        outputs = play(batch, training)
        fakes.append(outputs["image"])
        return outputs

    gan.play = recorded
    logs, w, _ = step(gan)
    if keras.backend.backend() != "jax":  # where the recorded pass shows no values
        x = ops.convert_to_numpy(fakes[-1])
        expected = 3 * np.mean((x @ w) ** 2 * (w @ w)) / 2
        assert logs["discriminator_r2"] == pytest.approx(expected, rel=1e-4)
    assert logs["discriminator_r2"] > 0


def linear_gan(penalty, w):
    image = keras.Input((3,))
    discriminator = keras.Model(image, keras.layers.Dense(1)(image))
    gan = kgan.GAN(kgan.networks.mlp_generator((3,), 2, 4), discriminator)
    gan.compile(
        loss=NoGame(), penalties=[penalty], discriminator_optimizer=keras.optimizers.SGD(0.1)
    )
    discriminator.set_weights([np.reshape(w, (3, 1)), np.zeros(1)])
    return gan


@pytest.mark.parametrize(
    ("options", "norm", "expected"),
    [
        ({}, 3.0, 10 * (3 - 1) ** 2),
        ({}, 0.5, 10 * 0.5**2),
        ({"weight": 2.0, "target": 4.0}, 3.0, 2 * (3 - 4) ** 2),
        ({"one_sided": True}, 0.5, 0.0),
        ({"one_sided": True}, 3.0, 10 * (3 - 1) ** 2),
        ({"target": 0.0}, 3.0, 10 * 3**2),
    ],
    ids=str,
)
def test_gradient_penalty_of_a_linear_critic(options, norm, expected):
    """Its gradient is w everywhere, so the interpolation does not matter."""
    w = np.array([2.0, -1.0, 2.0]) / 3 * norm
    logs, _ = train(linear_gan(penalties.GradientPenalty(**options), w))
    assert logs["discriminator_gradient_penalty"] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def train(gan):
    logs = gan.train_on_batch(POINTS, return_dict=True)
    return logs, gan.discriminator.get_weights()[0][:, 0]


def test_gradient_penalty_moves_the_weights_by_its_derivative():
    w = np.array([2.0, -1.0, 2.0])
    _, after = train(linear_gan(penalties.GradientPenalty(10.0), w))
    np.testing.assert_allclose(after, w - 0.1 * 10 * 2 * (3 - 1) * w / 3, rtol=1e-4)


def test_a_flat_critic_gives_no_nan():
    logs, after = train(linear_gan(penalties.GradientPenalty(), np.zeros(3)))
    assert logs["discriminator_gradient_penalty"] == pytest.approx(10.0, rel=1e-4)
    assert np.isfinite(after).all()


def test_the_interpolation_is_uniform_and_one_for_each_pair():
    seed = keras.random.SeedGenerator(0)
    real, fake = ops.ones((4000, 2, 2, 1)), ops.zeros((4000, 2, 2, 1))
    points = ops.convert_to_numpy(penalties.GradientPenalty().prepare(real, fake, seed))
    assert (points == points[:, :1, :1]).all()
    u = points[:, 0, 0, 0]
    # Uniform, not normal: inside [0, 1], with a flat histogram.
    assert u.min() >= 0
    assert u.max() <= 1
    np.testing.assert_allclose(np.histogram(u, 8, (0, 1))[0] / 500, 1, atol=0.2)


@pytest.mark.parametrize(
    "norm",
    [
        keras.layers.BatchNormalization(),
        keras.layers.GroupNormalization(2),
        keras.layers.LayerNormalization(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_the_penalty_is_learned_through_normalisation(norm):
    """Its derivative is a second one, also of the batch's mean and variance: by differences."""
    image = keras.Input((3,))
    x = keras.layers.Dense(4, activation="tanh")(image)
    discriminator = keras.Model(image, keras.layers.Dense(1)(norm(x)))
    gan = kgan.GAN(kgan.networks.mlp_generator((3,), 2, 4), discriminator)
    optimizers = {
        f"{p}_optimizer": keras.optimizers.SGD(0.0) for p in ("generator", "discriminator")
    }
    gan.compile(loss=NoGame(), penalties=[penalties.R1(1.0)], **optimizers)
    rng = np.random.default_rng(1)
    kernel = gan.discriminator.trainable_variables[0]
    discriminator.set_weights(
        [rng.normal(size=w.shape) + (w == 1) for w in discriminator.get_weights()]
    )
    value, direction = np.array(kernel.numpy()), rng.normal(size=kernel.shape).astype("float32")

    def penalty_at(distance):
        kernel.assign(value + distance * direction)
        return gan.train_on_batch(POINTS, return_dict=True)["discriminator_r1"]

    slope = (penalty_at(1e-2) - penalty_at(-1e-2)) / 2e-2
    gan.optimizer.discriminator.learning_rate = 0.1
    penalty_at(0.0)
    moved = np.sum((kernel.numpy() - value) * direction)
    assert moved == pytest.approx(-0.1 * slope, rel=0.01)


def test_lazily_in_every_third_turn_with_three_times_the_weight():
    gan, eager = quadratic_gan(penalties.R1(1.0, interval=3), rate=0.0), penalties.R1(1.0)
    terms = [step(gan)[0]["discriminator_r1"] for _ in range(6)]
    (full,) = {round(step(quadratic_gan_like(gan, eager))[0]["discriminator_r1"], 4)}
    assert terms[0] == pytest.approx(3 * full, rel=1e-3)
    assert terms == [pytest.approx(3 * full, rel=1e-3), 0, 0] * 2


def quadratic_gan_like(gan, penalty):
    other = quadratic_gan(penalty, rate=0.0)
    other.discriminator.set_weights(gan.discriminator.get_weights())
    return other


def test_weight_clipping_holds_every_weight_after_every_turn(images):
    gan = mlp_gan(
        loss="wasserstein",
        penalties=[penalties.WeightClipping(0.02)],
        discriminator_optimizer=keras.optimizers.SGD(1.0),
    )
    gan.fit(images, verbose=0)
    largest = [np.abs(weight).max() for weight in gan.discriminator.get_weights()]
    assert max(largest) == pytest.approx(0.02)
    assert np.abs(gan.generator.get_weights()[0]).max() > 0.1


@pytest.mark.parametrize("loss", sorted(kgan.losses.GAMES))
def test_every_game_goes_with_every_penalty(loss, images):
    chosen = [penalties.GradientPenalty(1.0, interval=2), penalties.R1(1.0), penalties.R2(1.0)]
    gan = mlp_gan(loss=loss, penalties=chosen, discriminator_steps=2)
    history = gan.fit(images, batch_size=16, epochs=2, verbose=0).history
    assert {f"discriminator_{p.name}" for p in chosen} < set(history)
    assert np.isfinite(list(history.values())).all()
    logs = gan.evaluate(images, verbose=0, return_dict=True)
    assert logs["discriminator_r1"] == pytest.approx(history["discriminator_r1"][-1], rel=0.3)


def test_a_penalty_leaves_batch_statistics_alone(images):
    """D(real), D(fake) and the generator's turn move them; the penalty's own pass does not."""

    def statistics(chosen):
        gan = dcgan(image_shape=(16, 16, 1), penalties=chosen)
        gan.optimizer.discriminator.learning_rate = 0.0
        gan.optimizer.generator.learning_rate = 0.0
        gan.train_on_batch(np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0))))
        return [np.array(v.numpy()) for v in gan.discriminator.non_trainable_variables]

    plain, penalised = statistics([]), statistics([penalties.R1(1.0)])
    assert plain
    for a, b in zip(plain, penalised, strict=True):
        np.testing.assert_array_equal(a, b)


def test_penalties_are_saved(tmp_path, images):
    chosen = [penalties.R1(2.0, interval=4), penalties.R2(3.0)]
    gan = mlp_gan(penalties=chosen, discriminator_steps=3, loss=kgan.losses.NonSaturating(0.1))
    gan.fit(images, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert [(type(p), p.get_config()) for p in loaded.penalties] == [
        (type(p), p.get_config()) for p in chosen
    ]
    assert loaded.discriminator_steps == 3
    assert loaded.game.label_smoothing == 0.1
    a, b = (g.fit(images, shuffle=False, verbose=0).history for g in (gan, loaded))
    assert a == b


def test_batch_norm_in_a_penalised_critic_warns():
    with pytest.warns(UserWarning, match=r"batch_norm=False.*Received: a critic with batch_norm"):
        dcgan(image_shape=(16, 16, 1), penalties=[penalties.GradientPenalty()])
    critic = kgan.networks.dcgan_discriminator((16, 16, 1), 4, batch_norm=False)
    gan = kgan.GAN(kgan.networks.dcgan_generator((16, 16, 1), 4, 4), critic)
    gan.compile(loss="wasserstein", penalties=[penalties.GradientPenalty()])
    assert not any(isinstance(x, keras.layers.BatchNormalization) for x in critic.layers)


def test_a_wasserstein_game_without_a_limit_warns():
    with pytest.warns(UserWarning, match=r"kept Lipschitz.*Received: loss='wasserstein' alone"):
        mlp_gan(loss="wasserstein")
