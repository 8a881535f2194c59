# `make reproduce` is the experiment, `make test` the tests; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export TOKENIZERS_PARALLELISM = false
SNAKEMAKE := snakemake --workflow-profile workflow/profiles/default --cores $(CORES)

.PHONY: reproduce smoke test lint format bench ui lock clean

reproduce: $(VENV)/.installed
	@$(SNAKEMAKE)
	@python -m repro show --results results

smoke: $(VENV)/.installed
	@$(SNAKEMAKE) --configfile config/smoke.yaml
	@python -m repro show --results results/smoke

test: $(VENV)/.installed
	pytest

# Interleaved medians; docs/performance.md holds a run of it. The backbone is the experiment's.
bench: $(VENV)/.installed
	@$(SNAKEMAKE) results/backbones/tiny-qwen3
	python bench/one_pass.py --shape wide --lengths 2048
	python bench/one_pass.py --shape narrow --vocabulary 512
	python bench/training_step.py --backbone results/backbones/tiny-qwen3

lint: $(VENV)/.installed
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint

format: $(VENV)/.installed
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

ui: $(VENV)/.installed
	mlflow ui --backend-store-uri sqlite:///results/mlflow.db --host 127.0.0.1 --port 5000

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# The lock is what a fresh environment resolves to; CUDA packages are left out, torch pins its own.
lock:
	rm -rf work/lock-venv && $(PYTHON) -m venv work/lock-venv
	work/lock-venv/bin/pip install --quiet --editable ".[pipeline,dev]"
	work/lock-venv/bin/pip freeze --exclude-editable \
		| grep -v -E '^(nvidia-|cuda-|triton)' | sed -E 's/\+[a-z0-9.]+$$//' > requirements.lock
	rm -rf work/lock-venv
	sed -i '/^  - pip:/q' environment.yml && sed 's/^/      - /' requirements.lock >> environment.yml

clean:
	rm -rf work
