"""The verbs of Keras on a GAN: fit, evaluate, predict, callbacks, and what goes in."""

import textwrap

import keras
import numpy as np
import pytest
from factory import FedGAN, OwnGAN, dcgan, dropout_gan, mlp_gan
from keras import ops

import kgan

BACKEND = keras.backend.backend()


def weights(network):
    return [np.array(weight) for weight in network.get_weights()]


def changed(before, network):
    return [not np.array_equal(a, b) for a, b in zip(before, weights(network), strict=True)]


def test_fit_shows_the_terms_by_their_names(images):
    history = mlp_gan().fit(images, batch_size=32, epochs=2, verbose=0).history
    assert set(history) == {
        "discriminator_loss",
        "generator_loss",
        "real_probability",
        "fake_probability",
    }
    assert all(len(values) == 2 and np.isfinite(values).all() for values in history.values())


def test_fit_trains_every_weight_of_both_networks(images):
    gan = dropout_gan()
    before = weights(gan.generator), weights(gan.discriminator)
    gan.fit(images, batch_size=32, epochs=2, verbose=0)
    assert all(changed(before[0], gan.generator))
    assert all(changed(before[1], gan.discriminator))


def test_the_discriminator_learns_to_tell_noise_from_images(images):
    gan = mlp_gan(
        discriminator_optimizer=keras.optimizers.Adam(1e-2),
        generator_optimizer=keras.optimizers.SGD(0.0),
    )
    logs = gan.fit(images, batch_size=32, epochs=15, verbose=0).history
    assert logs["real_probability"][-1] > 0.9
    assert logs["fake_probability"][-1] < 0.1
    assert logs["discriminator_loss"][-1] < logs["discriminator_loss"][0] / 3


def test_a_turn_changes_its_own_player_alone(images):
    gan = mlp_gan(
        generator_optimizer=keras.optimizers.SGD(0.0),
        discriminator_optimizer=keras.optimizers.SGD(0.1),
    )
    before = weights(gan.generator), weights(gan.discriminator)
    gan.train_on_batch(images)
    assert not any(changed(before[0], gan.generator))
    assert any(changed(before[1], gan.discriminator))


def test_one_step_is_gradient_descent_by_hand(images):
    """One SGD step against finite differences of the losses, in the order of the turns."""
    rate, h = 0.5, 1e-2
    latents = np.random.default_rng(1).normal(size=(96, 4)).astype("float32")

    def loss(gan, name):
        return gan.test_on_batch(images, latents, return_dict=True)[name]

    def slope(gan, variable, direction, name):
        value, ends = np.array(variable.numpy()), []
        for sign in (1, -1):
            variable.assign(value + sign * h * direction)
            ends.append(loss(gan, name))
        variable.assign(value)
        return (ends[0] - ends[1]) / (2 * h)

    for player, still in [("discriminator", "generator"), ("generator", "discriminator")]:
        gan = mlp_gan(
            kind=FedGAN,
            **{
                f"{player}_optimizer": keras.optimizers.SGD(rate),
                f"{still}_optimizer": keras.optimizers.SGD(0.0),
            },
        )
        variable = getattr(gan, player).trainable_variables[-2]
        direction = np.random.default_rng(2).normal(size=variable.shape).astype("float32")
        direction /= np.linalg.norm(direction)
        gradient = slope(gan, variable, direction, f"{player}_loss")
        before = np.array(variable.numpy())
        gan.train_on_batch(images, latents)
        moved = np.sum((variable.numpy() - before) * direction)
        assert moved == pytest.approx(-rate * gradient, rel=0.02, abs=1e-5)


def test_the_generator_learns_from_the_discriminator_after_its_turn(images):
    latents = np.random.default_rng(1).normal(size=(96, 4)).astype("float32")
    options = {"discriminator_optimizer": keras.optimizers.SGD(0.5)}
    gan = mlp_gan(kind=FedGAN, generator_optimizer=keras.optimizers.SGD(0.0), **options)
    before = gan.test_on_batch(images, latents, return_dict=True)["generator_loss"]
    during = gan.train_on_batch(images, latents, return_dict=True)["generator_loss"]
    after = gan.test_on_batch(images, latents, return_dict=True)["generator_loss"]
    assert during == pytest.approx(after, rel=1e-5)
    assert abs(after - before) > 1e-3


def test_batch_statistics_are_updated_once_a_step():
    """One generator pass a step: the moving mean moves by one momentum step, not by two."""
    gan = dcgan()
    norm = next(x for x in gan.generator.layers if isinstance(x, keras.layers.BatchNormalization))
    norm.moving_variance.assign(np.full(norm.moving_variance.shape, 1e6, "float32"))
    gan.train_on_batch(np.zeros((8, 8, 8, 1), "float32"))
    assert norm.moving_variance.numpy() == pytest.approx(1e6 * norm.momentum, rel=1e-3)


def test_weight_regularizers_are_named_terms(images):
    regularizer = keras.regularizers.L2(0.1)
    generator = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(64, kernel_regularizer=regularizer),
            keras.layers.Reshape((8, 8, 1)),
        ]
    )
    gan = kgan.GAN(generator, kgan.networks.mlp_discriminator((8, 8, 1), 8))
    gan.compile(
        generator_optimizer=keras.optimizers.SGD(0.5),
        discriminator_optimizer=keras.optimizers.SGD(0.0),
    )
    norm = np.square(generator.get_weights()[0]).sum()
    logs = gan.train_on_batch(images, return_dict=True)
    assert logs["generator_regularization"] == pytest.approx(0.1 * norm, rel=1e-4)
    assert logs["generator_loss"] == pytest.approx(
        logs["generator_adversarial"] + logs["generator_regularization"], rel=1e-5
    )
    gan.fit(images, epochs=10, verbose=0)
    assert np.square(generator.get_weights()[0]).sum() < 0.5 * norm


class Batches(keras.utils.PyDataset):
    def __init__(self, images, labels=None):
        super().__init__()
        self.images, self.labels = images, labels

    def __len__(self):
        return 3

    def __getitem__(self, index):
        chosen = slice(32 * index, 32 * (index + 1))
        if self.labels is None:
            return self.images[chosen]
        return self.images[chosen], self.labels[chosen]


def as_tf_data(images, labels):
    tf = pytest.importorskip("tensorflow")
    parts = images if labels is None else (images, labels)
    return tf.data.Dataset.from_tensor_slices(parts).batch(32)


def as_torch_loader(images, labels):
    torch = pytest.importorskip("torch")
    parts = [torch.from_numpy(x) for x in (images, labels) if x is not None]
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*parts), batch_size=32)


def as_generator(images, labels):
    batches = Batches(images, labels)
    return (batches[i % 3] for i in range(99))


@pytest.mark.parametrize("labelled", [False, True], ids=["images", "images and labels"])
@pytest.mark.parametrize(
    "form", [as_tf_data, as_torch_loader, Batches, as_generator], ids=lambda form: form.__name__
)
def test_every_input_gives_the_same_training(form, labelled, images):
    labels = np.arange(len(images)) % 10 if labelled else None
    expected = mlp_gan().fit(images, labels, batch_size=32, shuffle=False, verbose=0).history
    data = form(images, labels)
    options = {Batches: {"shuffle": False}, as_generator: {"steps_per_epoch": 3}}.get(form, {})
    history = mlp_gan().fit(data, verbose=0, **options).history
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-5), name


def test_evaluate_changes_nothing_and_is_what_validation_shows(images):
    gan = dcgan()
    gan.fit(images, verbose=0)
    before = weights(gan.generator), weights(gan.discriminator)
    logs = gan.evaluate(images, verbose=0, return_dict=True)
    assert set(logs) == set(gan.metrics_names)
    assert not any(changed(before[0], gan.generator) + changed(before[1], gan.discriminator))
    history = gan.fit(images, validation_data=images[:32], verbose=0).history
    assert {f"val_{name}" for name in gan.metrics_names} < set(history)
    history = gan.fit(images, validation_split=0.25, verbose=0).history
    assert "val_generator_loss" in history


def test_predict_turns_latents_into_images():
    gan = dcgan()
    latents = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    expected = ops.convert_to_numpy(gan.generator(latents))
    np.testing.assert_allclose(gan.predict(latents, verbose=0), expected, atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(gan(latents)), expected, atol=1e-6)


def test_generate_repeats_with_a_seed():
    gan = mlp_gan()
    first = gan.generate(10, seed=3)
    assert first.shape == (10, 8, 8, 1)
    assert first.dtype == "float32"
    np.testing.assert_array_equal(first, gan.generate(10, seed=3))
    np.testing.assert_allclose(first, gan.generate(10, seed=3, batch_size=4), atol=1e-6)
    assert not np.array_equal(first, gan.generate(10, seed=4))
    assert not np.array_equal(gan.generate(2), gan.generate(2))


def test_same_seed_same_training_and_another_seed_another():
    x = np.linspace(-1, 1, 2048, dtype="float32").reshape(32, 8, 8, 1)

    def losses(seed):
        return mlp_gan(seed=seed).fit(x, epochs=3, verbose=0).history["generator_loss"]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_latents_are_fresh_in_every_step_and_standard_normal():
    gan = mlp_gan()
    first, second = (ops.convert_to_numpy(gan.sample_latents(2000)) for _ in range(2))
    assert not np.array_equal(first, second)
    for latents in (first, second):
        assert latents.mean(0) == pytest.approx(0, abs=0.1)
        assert np.cov(latents.T) == pytest.approx(np.eye(4), abs=0.1)

    state = gan.seed_generator.state.numpy()
    gan.fit(
        np.linspace(-1, 1, 4096, dtype="float32").reshape(64, 8, 8, 1), batch_size=32, verbose=0
    )
    assert (gan.seed_generator.state.numpy() - state).tolist() == [0, 2]


@pytest.mark.parametrize("option", ["run_eagerly", "jit_compile"])
def test_ways_of_running_give_the_same_training(option, images):
    if (BACKEND, option) == ("torch", "jit_compile"):
        pytest.skip("torch.compile takes minutes on CPU and is not covered")
    latents = np.random.default_rng(1).normal(size=(96, 4)).astype("float32")

    def train(**options):
        gan = mlp_gan(kind=FedGAN, **options)
        return gan.fit(images, latents, epochs=2, shuffle=False, verbose=0).history

    plain, other = train(), train(**{option: True})
    for name, values in plain.items():
        assert other[name] == pytest.approx(values, rel=1e-5), name


def test_several_steps_an_execution(images):
    gan = mlp_gan(steps_per_execution=3)
    if BACKEND == "torch":
        with pytest.raises(ValueError, match="must be 1 with the PyTorch backend"):
            gan.fit(images, verbose=0)
        return
    history = gan.fit(images, batch_size=16, shuffle=False, verbose=0).history
    plain = mlp_gan().fit(images, batch_size=16, shuffle=False, verbose=0).history
    for name, values in plain.items():
        assert history[name] == pytest.approx(values, rel=1e-4), name
    assert int(gan.optimizer.iterations) == 6


def test_samples_can_be_drawn_in_the_middle_of_an_epoch(images):
    drawn = []

    class Draw(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            drawn.append(self.model.generate(2, seed=0))

    gan = mlp_gan(generator_optimizer=keras.optimizers.Adam(1e-2))
    gan.fit(images, batch_size=32, verbose=0, callbacks=[Draw()])
    assert len(drawn) == 3
    assert not np.allclose(drawn[0], drawn[1])
    assert not np.allclose(drawn[1], drawn[2])
    np.testing.assert_array_equal(drawn[2], gan.generate(2, seed=0))


def test_sample_grid_draws_the_same_latents(images, tmp_path):
    from PIL import Image

    gan = mlp_gan()
    grid = kgan.callbacks.SampleGrid(tmp_path / "samples", count=4, every=2)
    gan.fit(images, epochs=3, verbose=0, callbacks=[grid])
    files = sorted(file.name for file in (tmp_path / "samples").iterdir())
    assert files == ["epoch_0002.png", "epoch_0003.png"]
    kgan.images.save_grid(tmp_path / "again.png", gan.generate(4, seed=0))
    with (
        Image.open(tmp_path / "again.png") as again,
        Image.open(tmp_path / "samples" / "epoch_0003.png") as last,
    ):
        assert np.array_equal(again, last)


def test_a_new_gan_is_a_few_lines(images):
    class Dark(kgan.GAN):
        def generator_loss(self, batch, outputs, training=True):
            terms = super().generator_loss(batch, outputs, training)
            return {**terms, "brightness": 100.0 * ops.mean(outputs["image"])}

    gan = Dark(
        kgan.networks.mlp_generator((8, 8, 1), 4, 16), kgan.networks.mlp_discriminator((8, 8, 1), 8)
    )
    gan.compile(generator_optimizer=keras.optimizers.Adam(1e-2))
    history = gan.fit(images, epochs=20, verbose=0).history
    assert history["generator_loss"][0] == pytest.approx(
        history["generator_adversarial"][0] + history["generator_brightness"][0], rel=1e-4
    )
    assert gan.generate(64, seed=0).mean() < -0.8


def example_of(documented, **names):
    """What the example in a docstring defines."""
    names |= {"__name__": "my_module", "keras": keras, "kgan": kgan, "ops": keras.ops}
    example = documented.__doc__.split("```python")[1].split("```")[0]
    exec(textwrap.dedent(example), names)
    return names


def test_the_example_of_the_documentation_trains_and_saves(images, tmp_path):
    gan = example_of(kgan.AdversarialModel)["MyGAN"](
        kgan.networks.mlp_generator((8, 8, 1), 4, 16), kgan.networks.mlp_discriminator((8, 8, 1), 8)
    )
    gan.compile(
        loss="relativistic",
        penalties=[kgan.penalties.R1(1.0)],
        augmentations=[kgan.augmentations.InstanceNoise(0.1)],
        ema=0.9,
    )
    history = gan.fit(images, verbose=0).history
    assert {"discriminator_r1", "generator_adversarial", "generator_brightness"} <= set(history)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_array_equal(gan.generate(2, seed=0), loaded.generate(2, seed=0))


def test_games_and_penalties_of_the_documentation_train(images):
    for documented, term in [
        (kgan.losses.Game, "discriminator_loss"),
        (kgan.penalties.Penalty, "discriminator_middle"),
    ]:
        gan = mlp_gan()
        example_of(documented, gan=gan)  # which compiles it
        assert np.isfinite(gan.fit(images, verbose=0).history[term]).all()


def test_losses_that_leave_out_what_compile_was_given_are_told(images):
    class Deaf(OwnGAN):
        pass

    for name, given in [
        ("penalties", [kgan.penalties.R1(1.0)]),
        ("augmentations", [kgan.augmentations.InstanceNoise(0.1)]),
    ]:
        gan = mlp_gan(kind=Deaf, **{name: given})
        for _ in range(2):  # the second call is refused as well
            with pytest.raises(ValueError, match=f"ignore the {name}.*Received: {name}=.*Deaf"):
                gan.fit(images, verbose=0)
    mlp_gan(kind=Deaf, penalties=[kgan.penalties.WeightClipping(0.1)]).fit(images, verbose=0)


def test_networks_of_other_names_are_asked_for():
    class Named(kgan.AdversarialModel):
        def __init__(self, artist, critic):
            super().__init__()
            self.artist, self.critic = artist, critic

    model = Named(
        kgan.networks.mlp_generator((8, 8, 1), 4, 8), kgan.networks.mlp_discriminator((8, 8, 1), 8)
    )
    with pytest.raises(ValueError, match=r"`discriminators`.*Received: a Named without"):
        model.compile()


def test_points_in_place_of_images():
    points = np.random.default_rng(0).normal(3, 1, (64, 2)).astype("float32")
    gan = kgan.GAN(
        kgan.networks.mlp_generator((2,), 4, 16), kgan.networks.mlp_discriminator((2,), 16)
    )
    gan.compile()
    gan.fit(points, verbose=0)
    assert gan.generate(5).shape == (5, 2)


def test_no_gradient_is_left_behind_on_torch(images):
    if BACKEND != "torch":
        pytest.skip("only PyTorch keeps gradients on its parameters")
    gan = mlp_gan()
    gan.train_on_batch(images)
    assert all(variable.value.grad is None for variable in gan.trainable_variables)
