"""Whole networks and whole runs by native calls, and what happens where they cannot be had."""

import importlib

import keras
import numpy as np
import pytest
from factory import FedGAN, conditional, cyclegan, dcgan, dropout_gan, pix2pix
from keras import layers, ops

import kgan
from kgan.backend import native
from kgan.penalties import R1, R2, GradientPenalty

BACKEND = keras.backend.backend()
# XLA fuses by itself, so that TensorFlow has native calls without it alone.
UNCOMPILED = {"jit_compile": False} if BACKEND == "tensorflow" else {}
torch_alone = pytest.mark.skipif(BACKEND != "torch", reason="networks are planned on PyTorch alone")


def shared_and_nested():
    """A layer used twice, a network in a network, two inputs, two outputs, an operation."""
    image, other = keras.Input((8, 8, 4)), keras.Input((8, 8, 4))
    inner_input = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same")(inner_input)
    inner = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(4, 1), layers.ReLU()])
    nested = keras.Model(inner_input, inner(layers.BatchNormalization()(y)))
    conv = layers.Conv2D(4, 3, padding="same")
    a, b = conv(image), conv(nested(other))
    x = layers.Add()([layers.LeakyReLU()(a), b, a])  # `a` is wanted after the LeakyReLU
    x = x * 2.0 + ops.mean(x, axis=(1, 2), keepdims=True)
    x = layers.Dropout(0.3, seed=1)(x)
    return keras.Model([image, other], [layers.Flatten()(x), layers.ReLU()(x)])


NETWORKS = {
    "dcgan": lambda: kgan.networks.dcgan_generator((20, 17, 3), 8, 8),
    "conditional batch norm": lambda: kgan.networks.dcgan_generator(
        (8, 8, 3), 8, 8, num_classes=3, conditioning="conditional_batch_norm"
    ),
    "projection": lambda: kgan.networks.dcgan_discriminator(
        (8, 8, 3), 8, num_classes=3, conditioning="projection"
    ),
    "residual, spectral": lambda: kgan.networks.resnet_discriminator((8, 8, 3), 8),
    "residual": lambda: kgan.networks.resnet_generator((8, 8, 3), 8, 8),
    "u-net, dropout": lambda: kgan.networks.unet_generator((16, 16, 3), width=4),
    "cyclegan": lambda: kgan.networks.cyclegan_generator((16, 16, 3), width=4, blocks=1),
    "patch": lambda: kgan.networks.patch_discriminator((16, 16, 3), width=4, receptive_field=16),
    "shared, nested": shared_and_nested,
}


class Holder(keras.Model):
    """Owns a network, as a GAN does."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.compile(optimizer="sgd")
        self.optimizer.build(network.trainable_variables)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_what_keras_gives(name, training):
    keras.utils.set_random_seed(0)
    network = NETWORKS[name]()
    model = Holder(network)
    calls = kgan.backend.native_calls(model)
    rng = np.random.default_rng(0)
    inputs = [
        ops.convert_to_tensor(
            rng.integers(3, size=4) if "int" in x.dtype else rng.normal(size=(4, *x.shape[1:])),
            x.dtype,
        )
        for x in network.inputs
    ]
    before = [ops.convert_to_numpy(v) for v in network.non_trainable_variables]

    def run():
        for variable, value in zip(network.non_trainable_variables, before, strict=True):
            variable.assign(value)
        outputs, pull = kgan.backend.vjp(
            model,
            lambda: network(inputs if len(inputs) > 1 else inputs[0], training=training),
            variables=network.trainable_variables,
        )
        gradients, _ = pull(keras.tree.map_structure(ops.cos, outputs))
        state = [v.value for v in network.non_trainable_variables]
        return [*map(ops.convert_to_numpy, keras.tree.flatten([outputs, gradients, state]))]

    by_keras = run()
    with calls.in_use():
        natively = run()
    assert len(by_keras) == len(natively)
    for wanted, found in zip(by_keras, natively, strict=True):
        distance = np.linalg.norm(found - wanted)
        assert distance <= 1e-4 * max(1, np.linalg.norm(wanted)), name


def runs():
    """Makers of GANs and the arguments of their `fit`; nothing in them has a kink."""
    rng = np.random.default_rng(0)

    def pictures(*shape):
        return np.tanh(rng.normal(size=shape)).astype("float32")

    def smooth(network):
        """ReLU meets its kink sooner or later, and from there on runs part."""

        def copy(layer):
            if isinstance(layer, (layers.ReLU, layers.LeakyReLU)):
                return layers.Activation("softplus", name=layer.name)
            return layer.from_config(layer.get_config())

        return keras.models.clone_model(network, clone_function=copy)

    def gan(**compiled):
        keras.utils.set_random_seed(0)
        batch_norm = "penalties" not in compiled or compiled["loss"] != "wasserstein"
        networks = (
            kgan.networks.dcgan_generator((8, 8, 3), 4, 8),
            kgan.networks.dcgan_discriminator((8, 8, 3), 8, batch_norm=batch_norm),
        )
        gan = FedGAN(*map(smooth, networks), seed=0)
        gan.compile(**compiled)
        return gan

    def dropout():
        keras.utils.set_random_seed(0)
        gan = dropout_gan()
        smoothed = kgan.GAN(gan.generator, smooth(gan.discriminator), seed=0)
        smoothed.compile()
        return smoothed

    def pair():
        keras.utils.set_random_seed(0)
        gan = kgan.Pix2Pix(
            smooth(kgan.networks.unet_generator((8, 8, 3), width=4)),
            smooth(kgan.networks.patch_discriminator((8, 8, 6), width=4, receptive_field=16)),
            seed=0,
        )
        gan.compile(ema=0.9)
        return gan

    images, latents = pictures(320, 8, 8, 3), rng.normal(size=(320, 4)).astype("float32")
    return {
        "batch norm": (lambda: gan(ema=0.9), (images, latents), 16),
        "r1, r2": (
            lambda: gan(loss="relativistic", penalties=[R1(1.0), R2(0.5)]),
            (images, latents),
            16,
        ),
        "lazy r1": (
            lambda: gan(loss="hinge", penalties=[R1(1.0, interval=3)]),
            (images, latents),
            16,
        ),
        "gradient penalty, two turns": (
            lambda: gan(
                loss="wasserstein", penalties=[GradientPenalty(10.0)], discriminator_steps=2
            ),
            (images, latents),
            8,
        ),
        "dropout, noise": (dropout, (pictures(320, 8, 8, 1),), 16),
        "pix2pix, dropout": (pair, (pictures(20, 8, 8, 3), pictures(20, 8, 8, 3)), 1),
    }


@pytest.mark.parametrize("name", runs())
def test_losses_of_20_steps_are_those_of_keras(name, monkeypatch):
    make, data, batch_size = runs()[name]

    def losses(switch):
        monkeypatch.setenv(native.SWITCH, switch)
        gan = make()
        found = []
        for step in range(20):
            count = batch_size * gan.discriminator_steps
            rows = slice(step * count % len(data[0]), None)
            batch = [each[rows][:count] for each in data]
            found.append(gan.train_on_batch(*batch, return_dict=True))
            gan.reset_metrics()
        return np.array(
            [[step[f"{p}_loss"] for p in ("discriminator", "generator")] for step in found]
        )

    by_keras, natively = losses("0"), losses("1")
    assert np.ptp(by_keras, axis=0).min() > 1e-3  # something was learned
    distance = np.abs(natively - by_keras) / np.maximum(1, np.abs(by_keras))
    assert distance.max() < 1e-6


def test_native_calls_are_in_use_in_a_step_and_only_there(images, monkeypatch):
    gan = dcgan(**UNCOMPILED)
    seen = []
    kind = {
        "torch": layers.Conv2D,
        "jax": layers.Conv2DTranspose,
        "tensorflow": layers.BatchNormalization,
    }[BACKEND]
    layer = next(layer for layer in gan.native_calls.calls if type(layer) is kind)
    play = gan.play

    def watched(*arguments):
        seen.append("call" in vars(layer))
        return play(*arguments)

    monkeypatch.setattr(gan, "play", watched)
    gan.fit(images[:32], batch_size=16, verbose=0)
    gan.evaluate(images[:32], verbose=0)
    assert seen[-1]
    assert "call" not in vars(layer)
    seen.clear()
    monkeypatch.setenv(native.SWITCH, "0")
    gan.make_train_function(force=True)
    gan.fit(images[:32], batch_size=16, verbose=0)
    assert seen and not any(seen)


def test_an_error_in_a_step_leaves_no_native_call_behind(images, monkeypatch):
    gan = dcgan(**UNCOMPILED)

    def broken(*_):
        raise RuntimeError("a loss of my own")

    monkeypatch.setattr(gan, "generator_loss", broken)
    with pytest.raises(RuntimeError, match="of my own"), gan.native_calls.in_use():
        gan.generator_loss()
    assert gan.native_calls.calls
    assert not any("call" in vars(layer) for layer in gan.native_calls.calls)


def test_what_is_looked_for_in_keras_is_there():
    importlib.import_module(f"kgan.backend.{BACKEND}.native")
    moved = [name for name, found in native.LOOKED_FOR.items() if found is None]
    assert not moved, f"Keras has moved {moved}: training works, and is slower; look for them anew"


@torch_alone
def test_networks_are_planned_and_adam_is_fused(images, monkeypatch):
    from kgan.backend.torch import adam

    updates = []
    kernel = adam.KERNEL
    assert kernel is not None, "PyTorch has no torch._fused_adam_ any more: find its successor"
    monkeypatch.setattr(adam, "KERNEL", lambda *a, **k: (updates.append(1), kernel(*a, **k)))
    gan = dcgan()
    assert {gan.generator, gan.discriminator} <= set(gan.native_calls.calls), (
        "the graph of a Functional network is not where the plan reads it"
    )
    plan = gan.native_calls.calls[gan.generator].__self__
    by_keras = [step.operation.name for step in plan.steps if step.native is None]
    assert by_keras == []
    gan.fit(images[:32], batch_size=16, verbose=0)
    assert len(updates) == 4, "Keras's Adam no longer updates by _parallel_update_step"


@torch_alone
def test_a_moved_graph_is_told_of_and_trained_the_slow_way(images, monkeypatch):
    from kgan.backend.torch import plan

    def prepare(self, native):
        raise AttributeError("'Functional' object has no attribute '_nodes_by_depth'")

    monkeypatch.setattr(plan.Plan, "prepare", prepare)
    with pytest.warns(UserWarning, match="slower, with the same results"):
        gan = dcgan()
    assert gan.generator not in gan.native_calls.calls
    losses = gan.fit(images[:32], batch_size=16, verbose=0).history
    assert np.isfinite(losses["generator_loss"]).all()


@torch_alone
@pytest.mark.parametrize("make", [dcgan, conditional, pix2pix, cyclegan])
def test_files_do_not_tell_how_kernels_are_laid_out(make, tmp_path):
    """Weights ordered for the processor are saved, loaded and copied as any others."""
    gan = make()
    kernel = (
        next(v for v in gan.generators[0].trainable_variables if len(v.shape) == 4)
        if (make is not conditional)
        else None
    )
    if kernel is not None:
        assert not kernel.value.is_contiguous()  # it is laid out
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for a, b in zip(gan.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
    gan.save_weights(tmp_path / "gan.weights.h5")
    other = make()
    other.load_weights(tmp_path / "gan.weights.h5")
    network, twin = gan.generators[0], other.generators[0]
    for a, b in zip(network.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))


def test_a_users_own_call_on_a_layer_is_left_alone(images):
    gan = dcgan()
    layer = gan.discriminator.layers[1]
    calls = []
    own = layer.call

    def call(*arguments, **options):
        calls.append(1)
        return own(*arguments, **options)

    vars(layer)["call"] = call
    gan.compile()
    gan.fit(images[:16], batch_size=16, verbose=0)
    assert calls
    assert vars(layer)["call"] is call


@torch_alone
def test_a_layer_that_is_changed_later_counts_as_it_is_then(images, monkeypatch):
    """An own `call`, a hook, another activation, another slope: as Keras would have it."""

    def losses(change, switch):
        monkeypatch.setenv(native.SWITCH, switch)
        gan = dcgan()
        gan.train_on_batch(images[:16])
        undo = change(gan.discriminator)
        found = gan.train_on_batch(images[16:32], return_dict=True)
        if undo:
            undo()
        return [*found.values()]

    seen = []

    def own_call(network):
        layer = network.layers[1]
        own = layer.call
        layer.call = lambda x: own(x) * 0
        return lambda: seen.append(vars(layer)["call"])

    def own_call_of_all(network):
        network.call = lambda inputs, training=None, mask=None: inputs[:, 0, 0] * 0

    def hook(network):
        network.layers[1].register_forward_hook(lambda *_: seen.append("hook"))

    def activation(network):
        network.layers[1].activation = keras.activations.relu

    def slope(network):
        network.layers[2].negative_slope = 0.9

    unchanged = losses(lambda network: None, "1")
    for change in (own_call, own_call_of_all, hook, activation, slope):
        seen.clear()
        natively = losses(change, "1")
        told = len(seen)
        np.testing.assert_allclose(natively, losses(change, "0"), rtol=1e-5, atol=1e-6)
        if change in (own_call, hook):
            assert told
        if change is not hook:
            assert not np.allclose(natively, unchanged, rtol=1e-5, atol=1e-6)


@torch_alone
def test_one_filter_and_one_image_have_a_gradient():
    """By Keras's call PyTorch 2.13 fails: "slow_conv2d: grad_weight must be contiguous"."""
    latent = keras.Input((4,))
    x = layers.Reshape((8, 8, 16))(layers.Dense(8 * 8 * 16)(latent))
    x = layers.Conv2D(1, 3, padding="same", activation="tanh")(x)
    gan = kgan.GAN(
        keras.Model(latent, x), kgan.networks.mlp_discriminator((8, 8, 1), width=8), seed=0
    )
    gan.compile()
    losses = gan.train_on_batch(np.zeros((1, 8, 8, 1), "float32"), return_dict=True)
    assert np.isfinite(losses["generator_loss"])
