# make results/fig4_flan.pdf    set up, then run the workflow for that figure on all cores
# make test                     set up, then run the tests
# make help                     what else there is
# Further flags for Snakemake: make results/fig4_flan.pdf ARGS="--config preset=paper"

PYTHON ?= $(shell command -v python3.11 || command -v python3)
ARGS ?=
TABLES = table4 leakage generalization comparisons metric_stability metric_tasks reward_accuracy
# Programs of the workflow are run by the environment's Python.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: setup help report test lint bench docs lock
.DELETE_ON_ERROR:

setup: .venv/installed  ## set up .venv with pinned versions

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

help:  ## list the targets
	@echo 'make results/NAME.pdf  set up, then build a figure (README.md has their names)'
	@echo 'make results/NAME.csv  the same for a table'
	@sed -n 's/^\([a-z]*\):[^#]*## /make \1@/p' $(firstword $(MAKEFILE_LIST)) \
	  | while IFS=@ read -r target words; do printf '%-22s %s\n' "$$target" "$$words"; done
	@echo 'Flags for Snakemake or pytest: ARGS="..."'

report: setup  ## write report.html, one page of the figures and tables that are built
	snakemake $(wildcard results/*.pdf $(patsubst %,results/%.csv,$(TABLES))) \
	  --report report.html $(ARGS)

test: setup  ## run the tests; some of them: ARGS=tests/unit
	pytest $(ARGS)

lint: setup  ## run the linters and the type checker
	ruff check
	ruff format --check
	snakefmt --check Snakefile rules
	mypy
	snakemake --lint

bench: setup  ## measure speed, as ratios to the floor
	python benchmarks/run.py $(ARGS)
	python benchmarks/evaluation.py
	python benchmarks/startup.py
	python benchmarks/generation.py --results results
	python benchmarks/scores.py
	python benchmarks/similarity.py
	python benchmarks/tma.py

# The reference pages, from the config's own model and the programs' own help; the drawing of TMA.
docs: setup  ## write the generated pages of docs/ anew
	python docs/generate_config.py
	python docs/generate_commands.py
	python docs/draw_tma.py

# After a change of pins in pyproject.toml: install it, then write down all that came along.
lock: setup  ## after a change of pins: install it and write requirements.lock
	pip install --quiet --editable ".[dev,workflow]"
	pip freeze --all --exclude-editable | sed -e 's/+cpu$$//' -e '/^pip==/d' > requirements.lock
