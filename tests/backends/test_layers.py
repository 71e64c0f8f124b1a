"""Each layer through one shared test, then what it is for."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan

K, L = kgan.layers, keras.layers
SN, MBSD, CBN = (
    K.SpectralNormalization,
    K.MinibatchStandardDeviation,
    K.ConditionalBatchNormalization,
)
CASES = {
    "sn dense": (lambda **k: SN(L.Dense(5), **k), (8, 6), (8, 5)),
    "sn conv": (lambda **k: SN(L.Conv2D(5, 3, 2, "same"), **k), (8, 6, 6, 3), (8, 3, 3, 5)),
    "sn transposed": (
        lambda **k: SN(L.Conv2DTranspose(5, 4, 2, "same"), **k),
        (8, 3, 3, 2),
        (8, 6, 6, 5),
    ),
    "minibatch deviation": (lambda **k: MBSD(4, **k), (8, 3, 5, 2), (8, 3, 5, 3)),
    "minibatch deviation, odd batch": (lambda **k: MBSD(4, **k), (7, 3, 5, 2), (7, 3, 5, 3)),
    # With labels, (batch,), as the second input.
    "conditional batch norm": (lambda **k: CBN(3, **k), [(9, 4, 5, 2), (9,)], (9, 4, 5, 2)),
    "conditional batch norm, vectors": (lambda **k: CBN(3, **k), [(9, 4), (9,)], (9, 4)),
    "label plane": (lambda **k: K.LabelPlane(3, **k), [(9, 4, 5, 2), (9,)], (9, 4, 5, 3)),
    "projection": (lambda **k: K.ProjectionLogit(3, **k), [(9, 4), (9,)], (9, 1)),
    "projection, spectral": (
        lambda **k: K.ProjectionLogit(3, spectral=True, **k),
        [(9, 4), (9,)],
        (9, 1),
    ),
    "instance norm": (lambda **k: K.InstanceNormalization(**k), (8, 5, 6, 2), (8, 5, 6, 2)),
    "instance norm, sequences": (lambda **k: K.InstanceNormalization(**k), (8, 6, 2), (8, 6, 2)),
    "instance norm, no weights": (
        lambda **k: K.InstanceNormalization(center=False, scale=False, **k),
        (8, 5, 6, 2),
        (8, 5, 6, 2),
    ),
    "reflection padding": (lambda **k: K.ReflectionPadding2D(2, **k), (8, 3, 4, 2), (8, 7, 8, 2)),
    "reflection padding, columns": (
        lambda **k: K.ReflectionPadding2D((0, 3), **k),
        (8, 3, 4, 2),
        (8, 3, 10, 2),
    ),
}


def inputs(shape):
    rng = np.random.default_rng(0)
    if isinstance(shape, tuple):
        return rng.normal(size=shape).astype("float32")
    return [inputs(shape[0]), np.arange(shape[1][0], dtype="int32") % 3]


def placeholder(array):
    return keras.Input(array.shape[1:], dtype=array.dtype.name)


@pytest.mark.parametrize("case", CASES)
def test_every_layer(case):
    """Build, shape, dtype, serialisation, saving, training and mixed precision."""
    make, input_shape, output_shape = CASES[case]
    x = inputs(input_shape)

    layer = make()
    assert tuple(layer.compute_output_shape(input_shape)) == output_shape
    y = ops.convert_to_numpy(layer(x))
    assert y.shape == output_shape
    assert y.dtype == "float32"
    assert np.isfinite(y).all()

    copy = type(layer).from_config(layer.get_config())
    copy.build(input_shape)
    copy.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(copy(x)), y, rtol=1e-6)

    given = keras.tree.map_structure(placeholder, x)
    model = keras.Model(given, L.Dense(1)(L.Flatten()(layer(given))))
    model.compile(keras.optimizers.SGD(0.01), "mse")
    before = [np.array(weight) for weight in model.get_weights()]
    count = output_shape[0]
    model.fit(x, np.arange(count, dtype="float32")[:, None], batch_size=count, verbose=0)
    pairs = zip(before, model.get_weights(), strict=True)
    assert all(np.isfinite(b).all() and not np.array_equal(a, b) for a, b in pairs)

    for policy, dtype in [("mixed_bfloat16", "bfloat16"), ("mixed_float16", "float16")]:
        mixed = make(dtype=policy)
        first, *labels = x if isinstance(x, list) else [x]
        first = ops.cast(first, dtype)
        half = mixed([first, *labels] if labels else first)
        assert keras.backend.standardize_dtype(half.dtype) == dtype
        assert all(weight.dtype == "float32" for weight in mixed.weights)


def norm_of(layer):
    """The largest singular value by NumPy, with output channels as columns."""
    kernel = np.array(layer.layer.kernel.numpy())
    if isinstance(layer.layer, L.Conv2DTranspose):
        kernel = kernel.swapaxes(-1, -2)
    return np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2)


@pytest.mark.parametrize("case", ["sn dense", "sn conv", "sn transposed"])
def test_spectral_norm_is_the_largest_singular_value(case):
    make, input_shape, _ = CASES[case]
    layer = make()
    layer.build(input_shape)
    for _ in range(100):
        layer.move()
    assert float(ops.convert_to_numpy(layer.norm())) == pytest.approx(norm_of(layer), rel=1e-4)
    # The raw kernel stays; the call divides it.
    kernel = np.array(layer.layer.kernel.numpy())
    x = np.random.default_rng(0).normal(size=input_shape).astype("float32")
    normalised = ops.convert_to_numpy(layer(x))
    np.testing.assert_array_equal(layer.layer.kernel.numpy(), kernel)
    plain = ops.convert_to_numpy(layer.layer(x))
    np.testing.assert_allclose(normalised, plain / norm_of(layer), rtol=1e-3, atol=1e-5)


def test_the_gradient_passes_through_the_norm():
    """d(w/|w|) has no part along w: the kernel's norm cannot grow by the loss."""
    from kgan import backend

    layer = SN(L.Dense(1, use_bias=False))
    model = keras.Sequential([keras.Input((3,)), layer])
    gan = kgan.GAN(kgan.networks.mlp_generator((3,), 2, 4), model)
    gan.compile()
    for _ in range(50):
        layer.move()
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    out, pull = backend.vjp(gan, lambda: ops.sum(model(x)), variables=model.trainable_variables)
    (gradient,), _ = pull(ops.ones_like(out))
    w = np.array(layer.layer.kernel.numpy())
    gradient = ops.convert_to_numpy(gradient)
    u, total = w / np.linalg.norm(w), x.sum(0)[:, None]
    expected = (total - u * (u.T @ total)) / np.linalg.norm(w)
    np.testing.assert_allclose(gradient, expected, atol=1e-5)


def spectral_gan():
    keras.utils.set_random_seed(0)
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            SN(L.Conv2D(4, 4, 2, "same")),
            L.LeakyReLU(0.2),
            MBSD(),
            L.Flatten(),
            SN(L.Dense(1)),
        ]
    )
    gan = kgan.GAN(kgan.networks.mlp_generator((8, 8, 1), 4, 8), discriminator)
    gan.compile(loss="hinge", discriminator_optimizer=keras.optimizers.SGD(0.0))
    return gan


def test_the_vector_moves_once_a_step_of_a_gan(images):
    gan = spectral_gan()
    layer = gan.discriminator.layers[0]
    twin = SN(L.Conv2D(4, 4, 2, "same"))
    twin.build((None, 8, 8, 1))
    twin.set_weights(layer.get_weights())
    gan.train_on_batch(images)
    twin.move()
    np.testing.assert_allclose(layer.vector.numpy(), twin.vector.numpy(), atol=1e-6)
    gan.evaluate(images, verbose=0)
    gan.generate(2)
    np.testing.assert_allclose(layer.vector.numpy(), twin.vector.numpy(), atol=1e-6)


def test_the_kernel_is_trained_raw_and_judged_normalised(images, tmp_path):
    gan = spectral_gan()
    gan.optimizer.discriminator.learning_rate = 0.05
    gan.fit(images, epochs=20, verbose=0)
    for layer in (gan.discriminator.layers[0], gan.discriminator.layers[-1]):
        # A power iteration comes from below; here it follows a kernel that moves.
        share = float(ops.convert_to_numpy(layer.norm())) / norm_of(layer)
        assert 0.8 < share < 1.0001
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    a, b = (g.evaluate(images, verbose=0, return_dict=True) for g in (gan, loaded))
    assert a["real_score"] == b["real_score"]


def test_minibatch_deviation_shows_a_collapse():
    rng = np.random.default_rng(0)
    varied = rng.normal(size=(8, 4, 4, 3)).astype("float32")
    collapsed = np.repeat(varied[:1], 8, axis=0)
    layer = MBSD(4)
    assert ops.convert_to_numpy(layer(collapsed))[..., 3].max() < 1e-3
    shown = ops.convert_to_numpy(layer(varied))
    np.testing.assert_array_equal(shown[..., :3], varied)
    groups = varied.reshape(4, 2, 4, 4, 3)
    expected = groups.std(0).mean((1, 2, 3))
    np.testing.assert_allclose(
        shown[:, 0, 0, 3].reshape(4, 2), np.tile(expected, (4, 1)), rtol=1e-5
    )


LABELS = np.arange(9, dtype="int32") % 3


def test_conditional_batch_norm_is_batch_norm_with_a_scale_and_shift_for_each_class():
    x = np.random.default_rng(1).normal(2, 3, size=(9, 4, 5, 2)).astype("float32")
    layer = CBN(3)
    layer.build([x.shape, LABELS.shape])
    rng = np.random.default_rng(2)
    gamma, beta = rng.normal(size=(2, 3, 2)).astype("float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    y = ops.convert_to_numpy(layer([x, LABELS], training=True))
    mean, deviation = x.mean((0, 1, 2)), np.sqrt(x.var((0, 1, 2)) + 1e-5)
    normed = (x - mean) / deviation
    expected = normed * gamma[LABELS][:, None, None] + beta[LABELS][:, None, None]
    np.testing.assert_allclose(y, expected, atol=1e-4)
    np.testing.assert_allclose(layer.norm.moving_mean.numpy(), 0.1 * mean, rtol=1e-4)


def test_a_projection_logit_is_the_formula_of_the_paper():
    features = np.random.default_rng(1).normal(size=(9, 4)).astype("float32")
    layer = K.ProjectionLogit(3)
    y = ops.convert_to_numpy(layer([features, LABELS]))
    w, b = (np.array(v) for v in layer.linear.get_weights())
    embedding = np.array(layer.classes.kernel.numpy()).T
    inner = (embedding[LABELS] * features).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(y, features @ w + b + inner, atol=1e-5)


def test_a_label_plane_is_one_of_the_learned_planes():
    x = np.random.default_rng(1).normal(size=(9, 4, 5, 2)).astype("float32")
    layer = K.LabelPlane(3)
    y = ops.convert_to_numpy(layer([x, LABELS]))
    np.testing.assert_array_equal(y[..., :2], x)
    np.testing.assert_array_equal(y[..., 2:], np.array(layer.planes.numpy())[LABELS])


def test_instance_norm_is_that_of_numpy_and_of_group_norm():
    rng = np.random.default_rng(1)
    x = rng.normal(3, 2, size=(4, 5, 6, 3)).astype("float32")
    layer, group = K.InstanceNormalization(), L.GroupNormalization(groups=-1, epsilon=1e-5)
    for each in (layer, group):
        each.build(x.shape)
    gamma, beta = rng.normal(size=(2, 3)).astype("float32")
    for each in (layer, group):
        each.gamma.assign(gamma)
        each.beta.assign(beta)
    y = ops.convert_to_numpy(layer(x))
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta, atol=1e-5)
    np.testing.assert_allclose(y, ops.convert_to_numpy(group(x)), atol=1e-5)
    # An image does not see its neighbours in the batch, nor that it is trained with.
    alone = ops.convert_to_numpy(layer(x[:1], training=True))
    np.testing.assert_allclose(alone, y[:1], atol=1e-6)


def test_instance_norm_is_exact_on_images_mostly_of_one_colour():
    x = np.zeros((1, 192, 192, 16), "float32")
    x[:, :2] = np.random.default_rng(1).normal(2, 1, size=(1, 2, 192, 16))
    y = ops.convert_to_numpy(K.InstanceNormalization()(x))
    x = x.astype("float64")
    mean, variance = x.mean((1, 2)), x.var((1, 2))
    expected = (x - mean[:, None, None]) / np.sqrt(variance + 1e-5)[:, None, None]
    assert np.abs(y / expected - 1).max() < 5e-6


def test_instance_norm_has_float32_statistics_in_mixed_precision():
    """The squares of such values are infinite in float16, and their mean loses its digits."""
    x = np.random.default_rng(1).normal(1000, 300, size=(2, 16, 16, 3)).astype("float16")
    half = ops.convert_to_numpy(K.InstanceNormalization(dtype="mixed_float16")(x))
    full = ops.convert_to_numpy(K.InstanceNormalization()(x.astype("float32")))
    assert half.dtype == "float16"
    np.testing.assert_allclose(half.astype("float32"), full, atol=2e-3)


def instance_critic():
    """A critic whose gradient with respect to its input depends on the input by the norm."""
    image = keras.Input((4, 4, 2))
    x = L.Conv2D(3, 3, padding="same")(image)
    x = L.Activation("tanh")(K.InstanceNormalization()(x))
    model = keras.Model(image, L.Dense(1)(L.Flatten()(x)))
    gan = kgan.GAN(kgan.networks.mlp_generator((4, 4, 2), 2, 4), model)
    gan.compile()
    return gan, model


def test_gradients_of_constant_images_are_finite():
    from kgan import backend

    gan, model = instance_critic()
    x = ops.ones((2, 4, 4, 2))
    assert np.isfinite(ops.convert_to_numpy(backend.input_gradient(gan, model, x))).all()

    def penalty():
        return ops.sum(ops.square(backend.input_gradient(gan, model, x)))

    out, pull = backend.vjp(gan, penalty, variables=model.trainable_variables)
    gradients, _ = pull(ops.ones_like(out))
    assert all(np.isfinite(ops.convert_to_numpy(gradient)).all() for gradient in gradients)


def test_the_second_derivative_of_an_instance_norm_is_that_of_differences():
    from kgan import backend

    gan, model = instance_critic()
    rng = np.random.default_rng(1)
    x = ops.convert_to_tensor(rng.normal(size=(2, 4, 4, 2)).astype("float32"))
    kernel = model.layers[1].kernel
    start, direction = np.array(kernel.numpy()), rng.normal(size=kernel.shape).astype("float32")

    def penalty():
        return ops.sum(ops.square(backend.input_gradient(gan, model, x)))

    def penalty_at(step):
        kernel.assign(start + step * direction)
        return float(ops.convert_to_numpy(penalty()))

    out, pull = backend.vjp(gan, penalty, variables=[kernel])
    (gradient,), _ = pull(ops.ones_like(out))
    slope = float((ops.convert_to_numpy(gradient) * direction).sum())
    differences = (penalty_at(1e-2) - penalty_at(-1e-2)) / 2e-2
    assert slope == pytest.approx(differences, rel=2e-2)


@pytest.mark.parametrize("padding", [1, (2, 0), (3, 4)])
def test_reflection_padding_is_that_of_numpy(padding):
    x = np.random.default_rng(1).normal(size=(2, 4, 5, 3)).astype("float32")
    rows, columns = padding if isinstance(padding, tuple) else (padding, padding)
    expected = np.pad(x, ((0, 0), (rows, rows), (columns, columns), (0, 0)), "reflect")
    padded = ops.convert_to_numpy(K.ReflectionPadding2D(padding)(x))
    np.testing.assert_array_equal(padded, expected)
