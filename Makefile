# Everything here is a thin call of `python -m helpers …`, which works without make too (see README).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv pip install --quiet --python $(BIN)/python
RUN    := $(BIN)/python -m helpers

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help report pdf test test-slow notebooks data bench lab student teacher lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(VENV)/.core ## notebooks -> HTML site; fetches data first if there are none (DATA=no: none; ONEFILE=1: also one file; FRESH=1: executes all)
	@$(RUN) report $(if $(ONEFILE),--onefile) $(if $(FRESH),--fresh)

pdf: $(VENV)/.core ## the printed edition, by headless Chromium
	@$(RUN) pdf

test: $(VENV)/.core ## lint, types, verdicts and tests, which execute the notebooks too
	@$(RUN) test

test-slow: $(VENV)/.core ## the tests that are slow and rarely fail
	@$(RUN) test --slow

notebooks: $(VENV)/.core ## execute the notebooks on the reference store and save them in place
	@$(RUN) notebooks $(if $(FRESH),--fresh)

data: $(VENV)/.core ## fetch the market data from their providers; safe to interrupt
	@$(RUN) data

bench: $(VENV)/.core ## ratios against what a user would otherwise do
	@$(RUN) bench

lab: $(VENV)/.lab ## open JupyterLab on the start notebook
	@$(RUN) lab

student: $(VENV)/.core ## write the notebooks without solutions to editions/student
	@$(RUN) student

teacher: $(VENV)/.core ## write them with solutions and teaching notes to editions/teacher
	@$(RUN) teacher

lock: $(VENV)/.core ## resolve the two lock files anew from pyproject.toml
	@$(RUN) lock

clean: ## remove the environment, the site and every cache (never data/market)
	rm -rf $(VENV) site data/.cache .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find helpers tests notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf

# uv comes first, by its own hashed entry of the lock; it then installs the rest in seconds.
$(VENV)/bin/uv: requirements.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; say which with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@awk '/^[^ #]/ {on = /^uv==/} on' requirements.txt > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.txt
	@touch $@

$(VENV)/.core: $(VENV)/bin/uv requirements.txt pyproject.toml
	@echo "Installing the locked environment into $(VENV) ..."
	@$(UV) --require-hashes -r requirements.txt
	@$(UV) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.lab: $(VENV)/.core requirements-lab.txt
	@$(UV) --require-hashes -r requirements-lab.txt
	@touch $@
