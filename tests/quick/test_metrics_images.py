"""Each measure against an independent one, in closed form where there is one, and its sense."""

import json

import independent
import numpy as np
import pytest

import kgan
from kgan.metrics import (
    DuplicateRate,
    FrechetDistance,
    KernelDistance,
    MultiScaleSimilarity,
    PrecisionRecall,
    SlicedWasserstein,
    neighbors,
)
from kgan.metrics.frechet_distance import Moments
from kgan.metrics.image_metric import Rows

MEASURES = [
    FrechetDistance,
    lambda: KernelDistance(block_size=20),
    PrecisionRecall,
    lambda: SlicedWasserstein(directions=8),
    MultiScaleSimilarity,
    DuplicateRate,
]


def measured(metric, real, fake):
    """The scores of a metric, by name, of images given in one piece."""
    metric.reset_state()
    metric.update_state(real, fake)
    return scores(metric)


def scores(metric):
    result = metric.result()
    return result if isinstance(result, dict) else {metric.name: result}


def vectors(images):
    return images.reshape(len(images), -1).astype("float64")


def rough(images):
    """Images with noise, whose covariance has full rank, or SciPy finds no root of it."""
    noise = np.random.default_rng(2).uniform(-0.1, 0.1, images.shape)
    return (0.9 * images + noise).astype("float32")


@pytest.fixture
def others():
    """Fewer images than in `images`, of waves with noise on them."""
    rng = np.random.default_rng(1)
    rows = np.linspace(0, 2, 8)[:, None] + np.linspace(0, 2, 8)
    waves = 0.7 * np.sin(rows + rng.uniform(0, 5, (72, 1, 1)))
    return (waves + rng.uniform(-0.1, 0.1, waves.shape)).astype("float32")[..., None]


def test_all_against_independent_ones(images, others):
    images = rough(images)
    real, fake = vectors(images), vectors(others)
    assert measured(FrechetDistance(), images, others)["frechet_distance"] == pytest.approx(
        independent.frechet_distance(real, fake), rel=1e-6
    )
    found = measured(KernelDistance(block_size=20), images, others)
    expected = independent.kernel_distance(real, fake, 20)
    assert tuple(found.values()) == pytest.approx(expected, rel=1e-9)
    found = measured(PrecisionRecall(k=2, density_k=4), images, others)
    assert found == pytest.approx(independent.precision_recall(real, fake, 2, 4), rel=1e-12)
    found = measured(SlicedWasserstein(directions=4, seed=3), images, others)
    expected = independent.sliced_wasserstein(real, fake, 4, 3)
    assert found["sliced_wasserstein"] == pytest.approx(expected, rel=1e-9)
    copies = np.concatenate([images[:5], others, images[5:9] + np.float32(1e-3)]).clip(-1, 1)
    for threshold in (0, 0.5, 1):
        found = measured(DuplicateRate(threshold=threshold), images, copies)["duplicate_rate"]
        if threshold:
            assert found == independent.duplicate_rate(real, vectors(copies), threshold)
        else:
            assert found == 5 / len(copies)


@pytest.mark.parametrize("make", MEASURES)
def test_pieces_give_what_the_whole_gives(make, images, others):
    metric = make()
    whole = measured(metric, images, others)
    pieces = make()
    for start in range(0, 96, 7):
        fake = others[start : start + 7]
        pieces.update_state(images[start : start + 7], fake if len(fake) else None)
    assert scores(pieces) == pytest.approx(whole, rel=1e-9)
    assert pieces.protocol == metric.protocol
    assert (pieces.protocol["real_images"], pieces.protocol["generated_images"]) == (96, 72)


@pytest.mark.parametrize("count", [5, 12, 13, 40])
def test_few_images_and_many_have_the_moments_of_numpy(count):
    """Up to as many images as features they are kept, beyond that their covariance is."""
    rows = 100 + np.random.default_rng(count).normal(size=(count, 12))
    moments = Moments()
    for start in range(0, count, 5):
        moments.add(rows[start : start + 5])
    mean, root = moments.mean_and_root()
    np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(root @ root.T, np.cov(rows, rowvar=False), rtol=1e-9, atol=1e-12)


def test_frechet_distance_of_two_gaussians():
    """With equal axes it is the distance of the means and of the deviations."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    standard = rng.normal(size=(500, 6))
    standard -= standard.mean(axis=0)
    standard = standard @ np.linalg.inv(np.linalg.cholesky(np.cov(standard, rowvar=False))).T
    deviations = rng.uniform(0.1, 1, (2, 6))
    means = rng.normal(size=(2, 6)) + 1000  # where squares lose digits
    a, b = (
        mean + standard * deviation @ axes
        for mean, deviation in zip(means, deviations, strict=True)
    )
    metric = FrechetDistance()
    for start in range(0, 500, 50):
        metric.real.add(a[start : start + 50])
        metric.fake.add(b[start : start + 50])
    expected = np.sum((means[0] - means[1]) ** 2) + np.sum((deviations[0] - deviations[1]) ** 2)
    assert metric.result() == pytest.approx(expected, rel=1e-9)


def test_a_shift_is_seen_as_far_as_it_goes(images):
    """Of all images by one vector: its squared length, and its mean square along a line."""
    shift = np.random.default_rng(0).normal(size=(8, 8, 1)) * 0.05
    real = (images * 0.5).astype("float32")
    fake = (real + shift).astype("float32")
    found = measured(FrechetDistance(), real, fake)["frechet_distance"]
    assert found == pytest.approx(np.sum(shift**2), rel=1e-4)
    metric = SlicedWasserstein(directions=4000)
    expected = np.sqrt(np.sum(shift**2) / 64)
    assert measured(metric, real, fake)["sliced_wasserstein"] == pytest.approx(expected, rel=0.05)


def test_equal_sets_have_the_best_scores(images):
    assert measured(FrechetDistance(), images, images)["frechet_distance"] < 1e-9
    assert measured(SlicedWasserstein(), images, images)["sliced_wasserstein"] == 0
    found = measured(PrecisionRecall(), images, images)
    assert found["precision"] == found["recall"] == found["coverage"] == 1
    assert measured(DuplicateRate(threshold=0), images, images) == {"duplicate_rate": 1}
    found = measured(MultiScaleSimilarity(), images, np.repeat(images, 2, axis=0))
    assert found["multi_scale_similarity"] == pytest.approx(1)
    assert found["multi_scale_similarity_real"] < 0.9


def test_the_kernel_distance_is_unbiased_and_knows_its_error():
    """Of many pairs of sets from one distribution its mean is 0 within the error it tells."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        real, fake = rng.uniform(-1, 1, (2, 60, 5)).astype("float32")
        found.append([*measured(KernelDistance(block_size=10), real, fake).values()])
    distances, errors = np.array(found).T
    assert abs(distances.mean()) < 3 * distances.std() / np.sqrt(200)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(distances.std(), rel=0.2)


@pytest.mark.filterwarnings("ignore:This score says little")
def test_more_noise_is_a_worse_score(images):
    rng = np.random.default_rng(0)
    noise = rng.uniform(-1, 1, images.shape).astype("float32")
    real, own = images[:48], images[48:]
    for make, names in [
        (FrechetDistance, ["frechet_distance"]),
        (lambda: KernelDistance(block_size=24), ["kernel_distance"]),
        (lambda: SlicedWasserstein(directions=32), ["sliced_wasserstein"]),
    ]:
        rows = [
            measured(make(), real, (1 - share) * own + share * noise[48:])
            for share in (0, 0.2, 0.5, 1)
        ]
        for name in names:
            values = [row[name] for row in rows]
            assert values == sorted(values) and values[0] < values[-1], name


def test_a_dropped_mode_costs_recall_and_not_precision():
    """Points around two centres, of which the generator knows one."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2, 200, 4)).astype("float32") * 0.1
    points[:, 100:] += 1
    both = measured(PrecisionRecall(), *points)
    one = measured(PrecisionRecall(), points[0], points[1, :100])
    assert both["precision"] > 0.8 < one["precision"]
    assert both["recall"] > 0.8 and one["recall"] < 0.55
    assert both["coverage"] > 0.8 and one["coverage"] < 0.55
    assert one["density"] == pytest.approx(both["density"], rel=0.3)
    named = measured(PrecisionRecall(name="digits"), *points)
    assert named["digits_recall"] == both["recall"]


def test_copies_are_told_from_new_images():
    """Digits that were held out are hardly ever taken for copies, copies with noise always."""
    digits = kgan.data.digits()[0]
    training, new = digits[:1200], digits[1200:1500]
    noise = np.random.default_rng(0).uniform(-0.05, 0.05, (300, 8, 8, 1))
    copies = (training[:300] + noise).clip(-1, 1).astype("float32")
    assert measured(DuplicateRate(), training, new)["duplicate_rate"] < 0.01
    assert measured(DuplicateRate(), training, copies)["duplicate_rate"] == 1
    both = measured(DuplicateRate(), training, np.concatenate([copies, new]))
    assert both["duplicate_rate"] == pytest.approx(0.5, abs=0.01)


def test_few_images_are_noted():
    images = np.random.default_rng(0).uniform(-1, 1, (10, 4, 4, 1)).astype("float32")
    metric = FrechetDistance()
    with pytest.warns(UserWarning, match="says little: .*more images.*frechet_distance, where 10 "):
        measured(metric, images, images)
    assert "rank 9 at most, of 16 features" in metric.protocol["note"]
    wide = np.repeat(images, 10, axis=0)
    measured(metric, wide, wide)
    assert "note" not in metric.protocol


def test_a_report_has_values_and_protocols(images, others, tmp_path):
    metrics = [make() for make in MEASURES]
    for metric in metrics:
        metric.update_state(images, others)
    found = kgan.metrics.report(metrics, tmp_path / "scores.json", reference="waves")
    assert found["recall"]["value"] == scores(metrics[2])["recall"]
    assert found["recall"]["protocol"]["reference"] == "waves"
    assert found["kernel_distance_error"]["protocol"]["block_size"] == "9 real, 7 generated"
    assert json.loads((tmp_path / "scores.json").read_text()) == found
    with pytest.raises(ValueError, match=r"name of its own.*'frechet_distance'"):
        kgan.metrics.report([metrics[0], metrics[0]])


@pytest.mark.parametrize("make", MEASURES)
def test_bad_images_are_refused(make, images):
    for real, fake, message in [
        (images * np.nan, None, "finite"),
        (None, images * np.nan, "finite"),
        (images * 100, None, r"Images must lie in \[-1, 1\]"),
        ((images * 100).astype("int32"), None, "must be floats"),
        (None, (images * 100).astype("int32"), "must be floats"),
        (images[:0], None, r"shape \(0, 8, 8, 1\)"),
        (images, images[:, :6], r"the same shape.*\(6, 8, 1\) after images \(8, 8, 1\)"),
    ]:
        with pytest.raises(ValueError, match=rf"(?s){message}.*"):
            make().update_state(real, fake)
    with pytest.raises(ValueError, match="not weighed"):
        make().update_state(images, images, np.ones(96))
    metric = make()
    metric.update_state(images, None)
    with pytest.raises(ValueError, match=r"needs at least .* 0 generated images"):
        metric.result()


def test_exact_copies_are_found_where_they_lie(images):
    """Of 96 real images four have copies: their balls have no radius, and rounding no say."""
    copies = np.repeat(images[:4], 30, axis=0)
    found = measured(PrecisionRecall(), images, copies)
    assert found["recall"] == 4 / len(images)
    assert found["precision"] == 1


def test_rows_are_taken_from_the_batches_they_came_in(monkeypatch):
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(count, 3)).astype("float32") for count in (4, 1, 7, 2)]
    rows, whole = Rows(), np.concatenate(parts).astype("float64")
    for part in parts:
        rows.add(part)
    assert len(rows) == 14
    for chosen in (slice(2, 9), np.array([13, 0, 5, 5, 4]), np.array([], int)):
        np.testing.assert_array_equal(rows[chosen], whole[chosen])
    monkeypatch.setattr(neighbors, "BLOCK", 20)  # a few rows of each side at a time
    expected = ((whole[:, None] - whole) ** 2).sum(axis=-1)
    pairs = [distances for _, distances in neighbors.blocks(rows, rows)]
    assert len(pairs) > 3
    np.testing.assert_allclose(np.concatenate(pairs), expected, atol=1e-12)
