# Each command sets up all it needs in .venv: `make demo`, `make check`, `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# TensorFlow on a machine without a GPU otherwise reports that as an error.
export TF_CPP_MIN_LOG_LEVEL ?= 3
# A quiet, fast install: the tested versions, whatever pip would prefer today.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo check test lint types format clean

demo: $(VENV)/demo.done  ## train, sample, export and verify a GAN of handwritten digits
	$(BIN)/kgan demo

# tests/README.md says what is in which folder.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal

check: lint  ## lint, types and the fast tests on one backend, before each commit
	KERAS_BACKEND=torch $(PYTEST) tests/quick tests/backends --ignore tests/backends/export

test: $(VENV)/dev.done  ## all tests, on TensorFlow, JAX and PyTorch
	for backend in tensorflow jax torch; do \
		echo "== $$backend"; \
		KERAS_BACKEND=$$backend $(PYTEST) tests/backends || exit 1; \
	done
	@echo "== once"
	KERAS_BACKEND=torch $(PYTEST) tests/quick tests/export
	KERAS_BACKEND=torch $(BIN)/python -m pytest -n 2 --dist loadfile tests/once

lint: types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.done  ## in a folder where kgan lies as it is installed, export inside
	mkdir -p build/types/kgan && ln -sfn $(CURDIR)/kgan/* $(CURDIR)/export build/types/kgan/
	$(BIN)/mypy

format: $(VENV)/dev.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info kgan_demo

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing kgan and what the demo needs into $(VENV) (a few minutes, once)"
	$(INSTALL) -e ".[demo]"
	touch $@

$(VENV)/dev.done: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing kgan and the three backends into $(VENV) (a few minutes, once)"
	$(INSTALL) -e ".[dev]"
	touch $@ $(VENV)/demo.done
