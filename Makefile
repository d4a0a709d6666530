# make results/fig4_flan.pdf    set up, then run the workflow for that figure on all cores
# make test                     set up, then run the tests
# Further flags for Snakemake: make results/fig4_flan.pdf ARGS="--config preset=paper"

PYTHON ?= $(shell command -v python3.11 || command -v python3)
ARGS ?=
# Programs of the workflow are run by the environment's Python.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: setup test lint bench docs lock
.DELETE_ON_ERROR:

setup: .venv/installed

# The mark is written last: a set-up that was interrupted goes on from where it was.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v == (3, 11) or sys.exit(f"error: Python 3.11 is needed, $(PYTHON) is {v[0]}.{v[1]}; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -q \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -q python3-venv; } \
	  || { echo "error: this Python cannot create environments: run 'sudo apt-get install python3-venv'" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --requirement requirements.lock
	.venv/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Snakemake decides what is out of date, so it is always asked.
results/%.pdf results/%.csv: setup FORCE
	snakemake $@ $(ARGS)

FORCE:

test: setup
	pytest $(ARGS)

lint: setup
	ruff check
	ruff format --check
	snakefmt --check Snakefile rules
	mypy
	snakemake --lint

bench: setup
	python benchmarks/run.py $(ARGS)
	python benchmarks/evaluation.py
	python benchmarks/startup.py
	python benchmarks/generation.py --results results
	python benchmarks/scores.py
	python benchmarks/similarity.py
	python benchmarks/tma.py

# The reference page of the config, from the config's own model.
docs: setup
	python docs/generate_config.py

# After a change of pins in pyproject.toml: install it, then write down all that came along.
lock: setup
	pip install --quiet --editable ".[dev]"
	pip freeze --all --exclude-editable | sed -e 's/+cpu$$//' -e '/^pip==/d' > requirements.lock
