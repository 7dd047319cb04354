# Every target does its own set-up: a fresh clone needs Python 3.11-3.13, make and pip.
PYTHON ?= python3
EXPERIMENT ?= notebooks/experiments/quickstart.yaml

VENV := .venv
RUN := $(VENV)/bin/python

# TensorFlow's start-up lines would spoil progress bars and reports.
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help report reports study test slow mutants durable fuzz bench docs data lab lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-zA-Z.]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "  Options: PYTHON=python3.12   EXPERIMENT=$(EXPERIMENT)"

report: $(VENV)/.installed ## run one experiment the whole way, write reports/<name>.ipynb and .html
	$(RUN) -m ecg_tf report $(EXPERIMENT)

study: $(VENV)/.installed ## run all experiments that have no report yet, then the comparison
	$(RUN) -m ecg_tf study

reports: $(VENV)/.installed ## from the reports: their pages, reports/index.html, the README's table
	$(RUN) -m ecg_tf results

test: $(VENV)/.installed ## run the tests
	$(RUN) -m pytest -n 2 --dist worksteal tests

slow: $(VENV)/.installed ## run the tests that take minutes: all measures on planted faults, lessons in kernels
	$(RUN) -m pytest -m slow tests

mutants: $(VENV)/.installed ## plant faults in a copy of the package; a fast test has to fail for each
	$(RUN) -m tests.planted_faults

durable: $(VENV)/.installed ## kill trainings at ten moments and compare what comes of them
	$(RUN) -m pytest -m "slow or not slow" tests/durability

fuzz: $(VENV)/.installed ## 2,000 hostile files for every reader
	ECG_TF_FUZZ_CASES=2000 $(RUN) -m pytest tests/fuzz

docs: $(VENV)/.installed ## regenerate docs/settings.md from the declarations
	$(RUN) -m ecg_tf.config.settings_page docs/settings.md

bench: $(VENV)/.installed ## measure the speed as ratios; writes runs/bench/speed.md and .json
	$(RUN) tests/benchmarks/speed.py

data: $(VENV)/.installed ## download the MIT-BIH Arrhythmia Database and verify it
	$(RUN) -m ecg_tf data mitdb

lab: $(VENV)/.installed ## open the notebooks in JupyterLab
	@-git config filter.nbstripout.clean "'$(CURDIR)/$(RUN)' -m nbstripout --keep-id --extra-keys 'metadata.language_info cell.metadata.execution'"
	$(RUN) -m jupyterlab --config=binder/jupyter_server_config.py --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks

lint: $(VENV)/.installed ## check the code: style, types, imports that run one way
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports --no-cache

.venv: $(VENV)/.installed ## install everything into .venv (the other targets do it themselves)

# The stamp is written last: a pip that failed leaves none, and the next make tries again.
$(VENV)/.installed: requirements.txt
	@rm -f $@
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "Python 3.11, 3.12 or 3.13 is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)."; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet -r requirements.txt
	$(RUN) -m pip install --quiet --no-deps --editable .
	@touch $@

clean: ## remove .venv and caches; runs/, data/ and reports/ stay
	rm -rf $(VENV) build .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find ecg_tf tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
	find notebooks -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +
