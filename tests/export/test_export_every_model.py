"""A file of every model makes what the model makes."""

import pytest
from every_model import MODELS
from run_model_test import run_export_test


@pytest.mark.parametrize("name", MODELS)
def test_a_file_makes_what_its_model_makes(name, tmp_path):
    run_export_test(*MODELS[name], tmp_path)
