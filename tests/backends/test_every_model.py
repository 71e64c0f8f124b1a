"""Every model does what all can: training, saving, averages, half precision, going on, export."""

import pytest
from every_model import MODELS
from run_model_test import run_model_test


@pytest.mark.parametrize("name", MODELS)
def test_a_model_does_what_all_can(name, tmp_path):
    run_model_test(*MODELS[name], tmp_path)
