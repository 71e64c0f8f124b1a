"""What the monitor sees and says, on made-up histories and on real runs."""

import csv
import json

import keras
import numpy as np
import pytest
from factory import conditional, cyclegan, dcgan, dropout_gan, mlp_gan, pix2pix
from keras.optimizers import SGD, Adam

import kgan
from kgan import backend
from kgan.callbacks import CollapseMonitor
from kgan.callbacks.monitor.diversity import Drawn
from kgan.callbacks.monitor.held_batch import HeldBatch
from kgan.training import data_order

FIT = {"batch_size": 32, "verbose": 0}
PLAYERS = ("discriminator", "generator")


@pytest.mark.parametrize(
    "make",
    [
        mlp_gan,
        dcgan,
        dropout_gan,
        lambda: mlp_gan(loss="wasserstein", penalties=[kgan.penalties.GradientPenalty(10.0)]),
    ],
    ids=["mlp", "batch norm", "dropout", "gradient penalty"],
)
def test_a_look_changes_nothing(make, images):
    def state(gan):
        backend.sync(gan)
        variables = [*gan.variables, *gan.optimizer.variables, *gan.metrics_variables]
        return [keras.ops.convert_to_numpy(variable).copy() for variable in variables]

    gan = make()
    gan.fit(images, **FIT)
    before = state(gan)
    found = HeldBatch(gan, images[:32])()
    assert all(map(np.array_equal, before, state(gan)))
    assert all(map(np.isfinite, found.values()))
    assert 0 <= found["discriminator_accuracy_fake"] <= 1


def test_the_norms_are_those_of_the_updates(images):
    """With plain gradient descent of rate 1 a step moves the weights by the gradient."""
    found, moved = {}, {}
    for player in PLAYERS:
        rates = {f"{other}_optimizer": SGD(float(other == player)) for other in PLAYERS}
        gan = mlp_gan(**rates)
        gan._find_metrics(images[:32])
        network = getattr(gan, player)
        before = network.get_weights()
        found[player] = HeldBatch(gan, images[:32])()[f"{player}_gradient"]
        gan.train_on_batch(images[:32])
        backend.sync(gan)
        change = [b - a for a, b in zip(before, network.get_weights(), strict=True)]
        moved[player] = np.sqrt(sum((each**2).sum() for each in change))
    assert found == pytest.approx(moved, rel=1e-4)


def test_the_norms_are_without_the_loss_scale(images):
    plain = HeldBatch(mlp_gan(), images[:32])
    scaled = HeldBatch(
        mlp_gan(
            generator_optimizer=keras.optimizers.LossScaleOptimizer(Adam()),
            discriminator_optimizer=keras.optimizers.LossScaleOptimizer(Adam()),
        ),
        images[:32],
    )
    for probe in (plain, scaled):
        probe.model._find_metrics(images[:32])
    assert scaled() == pytest.approx(plain(), rel=1e-3)


def test_a_watched_run_takes_the_same_steps(images):
    def train(*callbacks):
        gan = dropout_gan(ema=0.9)
        gan.fit(images, epochs=2, callbacks=[*callbacks], **FIT)
        return gan.get_weights()

    for watched, alone in zip(train(CollapseMonitor(count=8, every=2)), train(), strict=True):
        np.testing.assert_array_equal(watched, alone)


def shuffled_stream(images):
    if keras.backend.backend() == "torch":
        import torch

        data = torch.utils.data.TensorDataset(torch.from_numpy(images))
        return torch.utils.data.DataLoader(data, batch_size=32, shuffle=True)
    import tensorflow

    return tensorflow.data.Dataset.from_tensor_slices(images).shuffle(96, seed=1).batch(32)


def test_a_stream_is_not_begun_once_more_for_a_look(images):
    """Another beginning would give a stream that shuffles another order."""

    def train(*callbacks):
        gan = mlp_gan()  # which sets the seed of the frameworks as well
        gan.fit(shuffled_stream(images), epochs=2, callbacks=[*callbacks], verbose=0)
        return gan.get_weights()

    for watched, alone in zip(train(CollapseMonitor(count=8)), train(), strict=True):
        np.testing.assert_array_equal(watched, alone)


def test_a_healthy_run_is_logged_and_not_complained_of(images, tmp_path, capsys):
    gan = mlp_gan(generator_optimizer=Adam(2e-3), discriminator_optimizer=Adam(2e-3))
    monitor = CollapseMonitor(log=tmp_path / "warnings.jsonl")
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = gan.fit(images, epochs=6, callbacks=[monitor, log], **FIT).history
    assert monitor.warnings == [] and (tmp_path / "warnings.jsonl").read_text() == ""
    assert capsys.readouterr().out == ""
    assert [look["epoch"] for look in monitor.history] == list(range(7))
    assert [look["updates"] for look in monitor.history[1:]] == [3, 6, 9, 12, 15, 18]
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    for name in monitor.history[0].keys() - {"epoch", "updates"}:
        values = [look[name] for look in monitor.history[1:]]
        assert [float(row[name]) for row in rows] == pytest.approx(values)
        assert history[name] == pytest.approx(values)
    last = monitor.history[-1]
    assert last["loss_ratio"] == pytest.approx(last["generator_loss"] / last["discriminator_loss"])


def test_a_collapse_is_told_and_ends_the_run(images, tmp_path, capsys):
    """A generator whose weights decay to nothing gives the same image of every latent."""
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([9], [1e-3, 0.5])
    gan = mlp_gan(generator_optimizer=SGD(rate, weight_decay=1.0))
    log = tmp_path / "run" / "warnings.jsonl"
    monitor = CollapseMonitor(looks=2, stop=True, restore_best=True, log=log)
    kept = [gan.get_weights()]
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: (backend.sync(gan), kept.append(gan.get_weights()))
    )
    gan.fit(images, epochs=20, callbacks=[record, monitor], **FIT)
    assert monitor.warnings[0].rule == "collapse"
    assert len(kept) - 1 == monitor.warnings[0].epoch == 5
    printed = capsys.readouterr().out
    assert "The images grow alike" in printed
    assert monitor.restored_epoch == len(kept) - 3
    assert f"the weights of epoch {monitor.restored_epoch} are back" in printed
    (line,) = log.read_text().splitlines()
    assert json.loads(line)["rule"] == "collapse"
    # Told after two looks with the symptom, so the one before these was good.
    for kept_weight, weight in zip(kept[-3], gan.get_weights(), strict=True):
        np.testing.assert_array_equal(kept_weight, weight)


def test_untrained_weights_are_called_so(images, capsys):
    gan = mlp_gan(loss="least_squares", generator_optimizer=SGD(1e30))
    gan.fit(images, epochs=9, callbacks=[CollapseMonitor(stop=True, restore_best=True)], **FIT)
    assert "so the untrained weights are back" in capsys.readouterr().out
    assert int(gan.optimizer.iterations) == 0


def test_looks_within_an_epoch_tell_their_step(images, capsys):
    gan = mlp_gan(loss="least_squares")
    rates = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: (
            setattr(gan.optimizer.generator, "learning_rate", 1e30) if batch == 8 else None
        )
    )
    monitor = CollapseMonitor(every=2, stop=True, restore_best=True)
    gan.fit(images, epochs=1, batch_size=8, verbose=0, callbacks=[rates, monitor])
    assert "the weights of epoch 1, after 8 updates, are back" in capsys.readouterr().out
    assert int(gan.optimizer.iterations) == 8


def test_weights_from_before_a_nan_come_back(images):
    def rate(epoch, old):
        return 1e30 if epoch == 2 else 1e-3

    gan = mlp_gan(loss="least_squares", ema=0.9)
    kept = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: (backend.sync(gan), kept.append(gan.get_weights()))
    )
    monitor = CollapseMonitor(restore_best=True, verbose=False)
    callbacks = [
        keras.callbacks.LearningRateScheduler(rate),
        record,
        monitor,
        kgan.callbacks.TerminateOnNaN(),
    ]
    history = gan.fit(images, epochs=5, callbacks=callbacks, **FIT)
    assert len(history.epoch) == 3
    assert monitor.history[-1]["updates"] == 0  # the average still shows the untrained networks
    assert [(w.epoch, w.rule) for w in monitor.warnings] == [(3, "not_finite")]
    assert all(map(np.array_equal, kept[1], gan.get_weights()))
    assert np.isfinite(gan.generate(4, seed=0)).all()


def test_weights_come_back_by_hand_after_an_error(images):
    gan = mlp_gan(loss="least_squares", generator_optimizer=SGD(1e30))
    monitor = CollapseMonitor(restore_best=True, verbose=False)
    end = kgan.callbacks.TerminateOnNaN(raise_error=True)
    before = gan.get_weights()
    with pytest.raises(RuntimeError, match="NaN"):
        gan.fit(images, epochs=2, callbacks=[monitor, end], **FIT)
    monitor.restore()
    assert all(map(np.array_equal, before, gan.get_weights()))
    with pytest.raises(ValueError, match="restore_best=True"):
        CollapseMonitor().restore()


def test_long_epochs_are_looked_at_on_the_way(images):
    monitor = CollapseMonitor(every=2)
    mlp_gan().fit(np.concatenate([images, images]), callbacks=[monitor], **FIT)  # six steps
    assert [look["epoch"] for look in monitor.history] == [0, 1, 1, 1]


def test_modes_are_counted(images):
    points, _ = kgan.data.ring().sample(64, seed=0)
    gan = kgan.GAN(
        kgan.networks.mlp_generator((2,), latent_dim=2, width=8),
        kgan.networks.mlp_discriminator((2,), width=8),
    )
    gan.compile()
    coverage = kgan.metrics.ModeCoverage(kgan.data.ring())
    history = gan.fit(points, callbacks=[CollapseMonitor(coverage=coverage)], **FIT).history
    fresh = kgan.metrics.ModeCoverage(kgan.data.ring())
    fresh.update_state(gan.generate(64, seed=0))
    for name, value in fresh.result().items():
        assert history[name] == pytest.approx([float(value)])


def test_a_model_that_knows_classes_is_watched(images):
    gan = kgan.ACGAN(
        kgan.networks.mlp_generator((8, 8, 1), 4, 8, num_classes=3),
        kgan.networks.mlp_discriminator((8, 8, 1), 8, num_classes=3, conditioning="auxiliary"),
        num_classes=3,
    )
    gan.compile()
    monitor = CollapseMonitor()
    gan.fit(images, np.arange(96) % 3, callbacks=[monitor], **FIT)
    assert all(np.isfinite(value) for value in monitor.history[-1].values())


def test_pairs_stay_together_and_translations_are_compared_with_targets(images):
    color = np.repeat(images, 3, axis=-1)
    model, monitor = pix2pix(), CollapseMonitor(count=8)
    data_order.show([monitor], (color, images), color, batch_size=4)
    (shown, targets), size = monitor._shown
    np.testing.assert_array_equal(shown[..., :1], targets)
    assert (len(shown), size) == (8, 4)
    assert not np.array_equal(targets, images[:8])  # rows of any place
    ((made, real),) = Drawn(model, (shown, targets), 8, seed=0)()
    np.testing.assert_array_equal(made, model.translate(shown))
    np.testing.assert_array_equal(real, targets)


def test_both_directions_of_a_cyclegan_are_looked_at(images):
    a = np.repeat(images, 3, axis=-1)[:4]
    b = -a[::-1]
    model = cyclegan()
    (to_b, real_b), (to_a, real_a) = Drawn(model, (a, b), 4, seed=0)()
    np.testing.assert_array_equal(to_b, model.translate(a, direction="ab"))
    np.testing.assert_array_equal(to_a, model.translate(b, direction="ba"))
    np.testing.assert_array_equal(real_a, a)
    np.testing.assert_array_equal(real_b, b)
    monitor = CollapseMonitor(verbose=False)
    model.fit(a, b, batch_size=2, verbose=0, callbacks=[monitor])
    for weight in model.generator_ab.weights:
        weight.assign(keras.ops.full(weight.shape, np.nan))
    # The other direction alone would show nothing.
    assert all(np.isnan(monitor._measures()[name]) for name in ("diversity", "distinctness"))


def test_what_cannot_be_watched_is_refused(images):
    with pytest.raises(ValueError, match="raise count"):
        CollapseMonitor(count=1)
    for wrong in ("x", kgan.metrics.FrechetDistance()):
        with pytest.raises(ValueError, match=r"coverage is a .*Received: coverage="):
            CollapseMonitor(coverage=wrong)
    labelled, monitor = conditional(), CollapseMonitor(real_images=images)
    with pytest.raises(ValueError, match=r"trained with labels.*Received: no labels"):
        labelled.fit(images, np.arange(len(images)) % 3, callbacks=[monitor], **FIT)
    for real, message in [
        ((images * 127 + 128).astype("uint8"), "must be floats"),
        (images * 127 + 128, r"must lie in \[-1, 1\]"),
        (np.full_like(images, np.nan), "must be finite"),
        (images[:, :4, :4], "Images must have the shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            mlp_gan().fit(images, callbacks=[CollapseMonitor(real_images=real)], **FIT)
    with pytest.raises(ValueError, match="looks must be a positive integer"):
        CollapseMonitor(looks=0)
    with pytest.raises(ValueError, match="real_images="):
        mlp_gan().fit(iter([images[:1]]), callbacks=[CollapseMonitor()], verbose=0)
    with pytest.raises(ValueError, match=r"real_images=. Received: 9 equal images"):
        mlp_gan().fit(np.repeat(images[:1], 9, axis=0), callbacks=[CollapseMonitor()], verbose=0)
    twice = np.concatenate([images[:4], images[:4]])  # as the smaller domain of two may come
    np.testing.assert_array_equal(Drawn(mlp_gan(), twice, 8, seed=0)()[0][1], images[:4])
    monitor = CollapseMonitor(real_images=images[:40])
    mlp_gan().fit(iter(images[:2, None]), callbacks=[monitor], steps_per_epoch=2, verbose=0)
    assert np.isfinite(monitor.history[-1]["distinctness"])
