"""What measures say of themselves is what the command and the report know of them."""

import inspect

import pytest

import kgan
from kgan import metrics
from kgan.cli import measures
from kgan.cli.recipe import Recipe
from kgan.report.scores import CHOOSE

CLASSES = [
    each
    for each in map(vars(metrics).get, metrics.__all__)
    if isinstance(each, type) and each is not metrics.ImageMetric
]


def test_the_names_of_the_command_are_those_of_the_classes():
    options = [each.option for each in CLASSES if each.option]
    assert sorted(measures.MEASURES) == sorted(options)
    assert all(each.option == name for name, each in measures.classes().items())


def test_the_help_of_train_names_what_may_choose_the_best_epoch():
    (text,) = (
        option.help
        for option in inspect.signature(Recipe).parameters["metrics"].annotation.__metadata__
    )
    named = {name for name in measures.MEASURES if name in text}
    assert named == {each.option for each in CLASSES if each.chooses}


@pytest.mark.parametrize("measure", CLASSES)
def test_what_a_measure_says_of_its_scores_is_of_scores_that_it_has(measure):
    made = measure(kgan.data.ring()) if measure is metrics.ModeCoverage else measure()
    assert set(measure.better) <= set(made.score_names)
    assert set(measure.better.values()) <= {"lower", "higher"}
    if measure.chooses:
        assert measure.option in measure.better


def test_the_report_knows_which_end_of_a_score_is_better():
    lower = {"frechet_distance", "kernel_distance", "sliced_wasserstein", "kl_to_uniform"}
    higher = {"precision", "recall", "density", "coverage", "modes", "high_quality"}
    assert dict.fromkeys(lower, min) | dict.fromkeys(higher, max) == CHOOSE
