"""Players by name: each learns its own loss by its own optimizer, and the contract is told."""

import keras
import numpy as np
import pytest
from factory import mlp_gan
from keras import layers, ops

import kgan
from kgan import losses, penalties

ROWS = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")


def dense(size, out, name, activation="tanh"):
    inputs = keras.Input((size,))
    x = layers.Dense(8, activation=activation)(inputs)
    return keras.Model(inputs, layers.Dense(out)(x), name=name)


class EncoderAndDecoder(kgan.AdversarialModel):
    """Three players, of which two make, and each of these has a loss of its own."""

    judges = ("critic",)
    makers = ("encoder", "decoder")

    def __init__(self, encoder, decoder, critic, weight=1.0, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.encoder, self.decoder, self.critic, self.weight = encoder, decoder, critic, weight

    @property
    def generator(self):
        return self.decoder

    def play(self, batch, training=True):
        encoder, decoder = (self.in_use(each, training) for each in (self.encoder, self.decoder))
        code = encoder(batch, training=training)
        return {"code": code, "again": decoder(code, training=training)}

    def critic_loss(self, batch, outputs, training=True):
        return self.judging_terms(self.critic, batch, outputs["again"])

    def encoder_loss(self, batch, outputs, training=True):
        again = ops.mean((ops.cast(outputs["again"], "float32") - batch) ** 2)
        return {"again": again, "code": self.weight * ops.mean(outputs["code"] ** 2)}

    def decoder_loss(self, batch, outputs, training=True):
        return {"adversarial": self.game.generator(None, self.critic(outputs["again"]))}


def three(**options):
    keras.utils.set_random_seed(0)
    model = EncoderAndDecoder(
        dense(6, 4, "e"), dense(4, 6, "d"), dense(6, 1, "c"), seed=0, name="three"
    )
    sgd = {f"{player}_optimizer": keras.optimizers.SGD(0.1) for player in model.players}
    model.compile(**{**sgd, **options})
    return model


def by_finite_differences(loss, network):
    """The gradient of a function without arguments for the weights of a network."""
    found, weights = [], [weight.copy() for weight in network.get_weights()]
    for i, weight in enumerate(weights):
        gradient = np.zeros(weight.shape)
        for place in np.ndindex(weight.shape):
            ends = []
            for step in (1e-2, -1e-2):
                moved = [each.copy() for each in weights]
                moved[i][place] += step
                network.set_weights(moved)
                ends.append(loss())
            gradient[place] = (ends[0] - ends[1]) / 2e-2
        found.append(gradient)
    network.set_weights(weights)
    return found


def test_each_player_descends_its_own_loss():
    """One step of SGD against finite differences; the makers look through the critic's new turn."""
    model = three()
    networks = {player: getattr(model, player) for player in model.players}
    before = {player: network.get_weights() for player, network in networks.items()}
    model.train_on_batch(ROWS)
    after = {player: network.get_weights() for player, network in networks.items()}
    for player, network in networks.items():
        network.set_weights(before[player])
    batch = ops.convert_to_tensor(ROWS)

    def loss_of(player):
        def loss():
            terms = getattr(model, f"{player}_loss")(batch, model.play(batch))
            return float(ops.convert_to_numpy(sum(terms.values())))

        return loss

    model._loss_metrics.update = lambda *arguments, **options: None
    for player in model.players:
        gradients = by_finite_differences(loss_of(player), networks[player])
        for old, new, gradient in zip(before[player], after[player], gradients, strict=True):
            np.testing.assert_allclose(new, old - 0.1 * gradient, atol=2e-4)
        if player == "critic":
            networks[player].set_weights(after[player])


def test_logs_rates_and_saved_state_go_by_the_players_names(tmp_path):
    model = three(ema=0.9, encoder_optimizer=keras.optimizers.Adam(3e-3))
    history = model.fit(ROWS, batch_size=16, epochs=2, verbose=0).history
    assert {"critic_loss", "encoder_loss", "encoder_again", "encoder_code", "decoder_loss"} <= {
        *history
    }
    assert [each.name for each in model.optimizer.optimizers] == ["critic", "encoder", "decoder"]
    assert float(model.optimizer.encoder.learning_rate) == pytest.approx(3e-3)
    assert int(model.optimizer.iterations) == 4
    made = model.generate(3, seed=0)
    np.testing.assert_allclose(
        made, model.averaged_generator.predict(model.draw_latents(3, 0), verbose=0), atol=1e-6
    )
    model.save(tmp_path / "model.keras")
    scope = {"EncoderAndDecoder": EncoderAndDecoder}
    again = keras.saving.load_model(tmp_path / "model.keras", custom_objects=scope)
    np.testing.assert_array_equal(again.generate(3, seed=0), made)
    one, other = (each.train_on_batch(ROWS[:16], return_dict=True) for each in (model, again))
    assert one == pytest.approx(other, abs=1e-6)


def test_each_player_has_a_loss_scale_of_its_own():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = three()
        history = model.fit(ROWS, batch_size=16, verbose=0).history
    finally:
        keras.config.set_dtype_policy(before)
    assert {"critic_skipped_updates", "encoder_skipped_updates", "decoder_skipped_updates"} <= {
        *history
    }
    scales = {id(optimizer.dynamic_scale) for optimizer in model.optimizer.optimizers}
    assert len(scales) == 3 and all(np.isfinite(values).all() for values in history.values())


GAMES = [*losses.GAMES]


@pytest.mark.parametrize("name", GAMES)
def test_padding_counts_for_nothing_in_any_game(name):
    rng = np.random.default_rng(1)
    real, fake = (ops.convert_to_tensor(rng.normal(size=(6, 3, 1)).astype("float32")) for _ in "12")
    weights = np.array(
        [[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 1]], "float32"
    )
    kept = weights.reshape(-1) > 0
    game = losses.get(name)
    rows = [
        ops.convert_to_tensor(np.asarray(ops.convert_to_numpy(each)).reshape(-1, 1)[kept])
        for each in (real, fake)
    ]
    for side in (game.discriminator, game.generator):
        padded = float(ops.convert_to_numpy(side(real, fake, ops.convert_to_tensor(weights))))
        assert padded == pytest.approx(float(ops.convert_to_numpy(side(*rows))), abs=1e-6)


@pytest.mark.parametrize(
    "penalty", [penalties.R1(2.0), penalties.R2(), penalties.GradientPenalty()]
)
def test_padding_counts_for_nothing_in_penalties(penalty):
    gradient = np.random.default_rng(2).normal(size=(5, 2, 3)).astype("float32")
    weights = np.array([1, 0, 1, 1, 0], "float32")
    padded = penalty.term(ops.convert_to_tensor(gradient), ops.convert_to_tensor(weights))
    plain = penalty.term(ops.convert_to_tensor(gradient[weights > 0]))
    assert float(ops.convert_to_numpy(padded)) == pytest.approx(float(ops.convert_to_numpy(plain)))


class Weighted(kgan.GAN):
    """Samples whose first value is negative are padding."""

    def weights_of(self, batch):
        return ops.cast(ops.reshape(batch, (ops.shape(batch)[0], -1))[:, 0] >= 0, "float32")

    def discriminator_loss(self, batch, outputs, training=True):
        weights = self.weights_of(batch)
        fake = ops.stop_gradient(outputs["image"])
        return self.judging_terms(lambda x: self.judge(x, batch, training), batch, fake, weights)


def test_shown_probabilities_leave_out_padding():
    images = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
    gan = mlp_gan(kind=Weighted, penalties=[kgan.penalties.R1(1.0)])
    kept = images.reshape(16, -1)[:, 0] >= 0
    logits = np.asarray(gan.discriminator.predict(images, verbose=0))[kept]
    shown = gan.train_on_batch(images, return_dict=True)["real_probability"]
    assert float(shown) == pytest.approx(float((1 / (1 + np.exp(-logits))).mean()), abs=1e-5)


def wrong(**methods):
    return type("Wrong", (EncoderAndDecoder,), methods)


def compiled(kind):
    model = kind(dense(6, 4, "e"), dense(4, 6, "d"), dense(6, 1, "c"))
    model.compile()
    return model


def scalar(self, batch, outputs, training=True):
    return ops.mean(outputs["again"])


def vector(self, batch, outputs, training=True):
    return {"again": outputs["again"]}


def whole_numbers(self, batch, training=True):
    return {"again": ops.cast(batch, "int32")}


def nothing(self, data):
    return None


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"encoder_loss": scalar}, r"encoder_loss\(.*dict of named scalars.*Received: a "),
        ({"encoder_loss": vector}, r"named scalars.*'again': \(\d+, 6\)"),
        ({"encoder_loss": lambda *a, **k: {}}, "Received: an empty dict"),
        ({"play": whole_numbers}, "must return float tensors.*int32"),
        ({"unpack": nothing}, r"unpack\(data\) must return the tensors"),
    ],
)
def test_what_breaks_the_contract_is_told_at_the_first_batch(methods, message):
    with pytest.raises(ValueError, match=message):
        compiled(wrong(**methods)).fit(ROWS, verbose=0)


class Forgetful(EncoderAndDecoder):
    def __init__(self, encoder, decoder, critic, rate=1.0):
        super().__init__(encoder, decoder, critic)


class Variadic(EncoderAndDecoder):
    def __init__(self, *networks):
        super().__init__(*networks)


class Options(EncoderAndDecoder):
    """A variadic argument may have any name."""

    def __init__(self, encoder, decoder, critic, **options):
        super().__init__(encoder, decoder, critic, **options)


class OwnStep(EncoderAndDecoder):
    def train_step(self, data):
        return {}


class Lossless(EncoderAndDecoder):
    makers = ("encoder", "decoder", "generator")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Forgetful, r"self\.rate = rate.*Received: Forgetful without rate"),
        (Variadic, r"name each of them.*\*networks"),
        (OwnStep, r"in place of train_step\(\)"),
        (wrong(judges=("critic", "critic")), "each once"),
        (wrong(judges=("two words",)), "judges and makers are tuples of names"),
        (wrong(makers=("encoder", "learning_rate")), "learning_rate"),
        (wrong(makers=("encoder", "painter")), "painter_loss"),
    ],
)
def test_what_breaks_the_contract_is_told_at_compile(kind, message):
    with pytest.raises(ValueError, match=message):
        compiled(kind)


def test_a_variadic_argument_may_have_any_name(tmp_path):
    model = compiled(Options)
    model.save(tmp_path / "model.keras")
    scope = {"Options": Options}
    again = keras.saving.load_model(tmp_path / "model.keras", custom_objects=scope)
    np.testing.assert_array_equal(again.generate(2, seed=0), model.generate(2, seed=0))


def test_two_players_cannot_train_one_variable():
    shared = dense(6, 6, "shared")
    with pytest.raises(ValueError, match=r"one player.*of encoder and of decoder"):
        EncoderAndDecoder(shared, shared, dense(6, 1, "c")).compile()


def test_an_optimizer_of_nobody_is_told():
    model = EncoderAndDecoder(dense(6, 4, "e"), dense(4, 6, "d"), dense(6, 1, "c"))
    with pytest.raises(TypeError, match=r"decoder_optimizer.*Received: .*generator_optimizer"):
        model.compile(generator_optimizer="adam")
