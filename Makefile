# make results/fig4_flan.pdf    set up, then run the workflow for that figure on all cores
# make test                     set up, then run the tests
# make help                     what else there is
# Further flags for Snakemake: make results/fig4_flan.pdf ARGS="--config preset=paper"

# python3 where it is new enough, or else the newest one there is.
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
  $$python -c '$(FITS)' 2>/dev/null && echo $$python && break; done),python3)
ARGS ?=
# The config that made each figure lies beside it.
RECORDS = $(wildcard results/*.yaml)
TABLES = table4 leakage generalization comparisons metric_stability metric_tasks reward_accuracy
# Programs of the workflow are run by the environment's Python.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
SHELL = bash
.SHELLFLAGS = -o pipefail -c
LOG = .venv/setup.log
UNUSED = tests?|testing|pip|setuptools|_inductor|physics|lexers|dialects|mypyc?

.PHONY: setup help report test lint bench docs lock harness
.DELETE_ON_ERROR:

setup: .venv/installed  ## set up .venv with pinned versions

# The mark is written last: a set-up that was interrupted goes on from where it was. This pip takes
# half the time of the one that comes with Python; of what it says, long downloads are shown. Python
# compiles a module when it is first imported; where it may not keep the result, all are compiled now.
.venv/installed: requirements.lock pyproject.toml | .venv/bin/pip
	@echo "Installing $$(wc -l < requirements.lock) packages; all that pip says is in $(LOG)"
	@{ .venv/bin/python -m pip install --no-compile pip==26.3 \
	     && .venv/bin/python -m pip install --no-compile --requirement requirements.lock \
	     && .venv/bin/python -m pip install --no-compile --no-deps --no-build-isolation --editable .; \
	 } 2>&1 | tee $(LOG) | sed -unE \
	    -e 's/^ *Downloading ([^-]+)-([^-]+).* \(([0-9]{2,}\.[0-9] MB|.* GB)\)$$/  downloading \1 \2, \3/p' \
	    -e 's/^Installing collected packages: .*,.*/  unpacking/p' -e '/^WARNING: Retrying/p' \
	  || { grep -v '^WARNING: Location' $(LOG) | tail -n 20; \
	       echo "error: pip failed; its last lines are above, the rest in $(LOG)"; exit 1; } >&2
	@[ -z "$$PYTHONDONTWRITEBYTECODE" ] || { echo "  compiling"; .venv/bin/python -m compileall \
	  -qq -j 0 -x '/($(UNUSED))/|transformers/models/(?!auto|llama|__init__)' .venv/lib || true; }
	@.venv/bin/python -c 'from importlib.metadata import version; \
	   print("Ready, with PyTorch", version("torch"))'
	@touch $@

.venv/bin/pip:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && echo "Installing Debian's python3-venv" && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; } \
	  || { echo "error: this Python cannot create environments: run 'sudo apt-get install python3-venv'" >&2; exit 1; }
	@$(PYTHON) -c '$(FITS)' \
	  || { echo "error: Python 3.11, 3.12 or 3.13 is needed, but this is $$($(PYTHON) --version);" \
	         "set PYTHON=/path/to/python3.13" >&2; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv

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
	@snakemake $(wildcard results/*.pdf $(patsubst %,results/%.csv,$(TABLES))) \
	  --report report.html $(and $(RECORDS),--configfile $(RECORDS)) $(ARGS)

# For all tests three processes, as one of SLURM mostly waits; otherwise one for each core. Long ones
# come first, in the order of the folders.
test: setup  ## run the tests; some of them: ARGS=tests/unit
	pytest --numprocesses $(if $(findstring tests/,$(ARGS)),logical,3) --no-loadscope-reorder $(ARGS)

lint: setup  ## run the linters and the type checker
	ruff check
	ruff format --check
	snakefmt --check Snakefile rules
	codespell
	mypy
	snakemake --lint

bench: setup  ## measure speed, as ratios to the floor
	python benchmarks/run.py $(ARGS)
	python benchmarks/training.py
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

# As they are written down, since one of them asks for an older dateutil, which it works without.
harness: setup  ## install lm-evaluation-harness too, for metrics lm_eval:TASK
	python -m pip install --quiet --no-deps --requirement requirements-harness.lock

# After a change of pins in pyproject.toml: install it, then write down all that came along.
lock: setup  ## after a change of pins: install it and write requirements.lock
	pip install --quiet --editable ".[dev,workflow]"
	pip freeze --all --exclude-editable \
	  | sed -E -e 's/\+cpu$$//' -e '/^(pip|triton|cuda-.*|nvidia-.*)==/d' | grep -vixFf requirements-harness.lock > requirements.lock
