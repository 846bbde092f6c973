# `make` sets up and builds the whole course; `make test` sets up and runs what CI runs; `make help` lists the rest.

SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# one thread a process: two processes with two threads each are slower than two with one, and results repeat
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# no usage reports, no update checks, no surprise from packages in the user's home
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PORT ?= 8000
TORCH_INDEX ?=
PS ?= ps1_hmm
RUN := .venv/bin/python -m
STEP := .venv/bin/python -m tools.step

.PHONY: all help setup export exercises site demo serve lab lint test bench fuzz soak bank shots lock clean

all: setup ## set up, refresh exercises, build the site, grade a demonstration class
	@$(STEP) "code of the chapters" -- $(RUN) tools.export
	@$(STEP) "exercises" -- $(RUN) autograder release
	@$(STEP) "site" -- $(RUN) tools.site
	@$(STEP) "demonstration class" -- $(RUN) tools.demo_class
	@$(STEP) --look

help: ## list the targets
	@echo "make            set up and build the whole course"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | grep -v '^make all' | awk -F'|' '{printf "%-15s %s\n", $$1, $$2}'
	@echo
	@echo "PYTHON=python3.12 picks the interpreter; PORT=8000 is where serve listens; PS=ps1_hmm names a problem set;"
	@echo "TORCH_INDEX=https://download.pytorch.org/whl/cpu installs torch without CUDA: 1 GB instead of 5."

setup: ## create .venv and install the lock into it
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
	  for p in python3.11 python3.12 python3.13 python3 python; do \
	    if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; then python=$$p; break; fi; \
	  done; \
	fi; \
	if [ -z "$$python" ]; then \
	  if python3 --version >/dev/null 2>&1; then python=python3; \
	  else echo "set-up stopped: no Python found: install Python 3.11, 3.12 or 3.13, then run make again" >&2; exit 1; fi; \
	fi; \
	if ! $$python --version >/dev/null 2>&1; then \
	  echo "set-up stopped: $$python does not start: install it, or name another with make PYTHON=python3.11" >&2; exit 1; \
	fi; \
	$$python tools/bootstrap.py --torch-index "$(TORCH_INDEX)"

export: setup ## write book/seqmodels from the chapters' exported cells
	@$(RUN) tools.export

exercises: setup ## make the notebooks in solutions/ and exercises/ from their text sources
	@$(RUN) autograder release

site: setup ## build the site into _build/html
	@$(STEP) "code of the chapters" -- $(RUN) tools.export
	@$(STEP) "site" -- $(RUN) tools.site

serve: site ## build the site and serve it on http://127.0.0.1:8000
	@echo "http://127.0.0.1:$(PORT)/ (Ctrl-C stops)"
	@$(RUN) http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: setup ## open JupyterLab with nbgrader's extensions on this course
	@# no news, no look for updates, no extension index
	@.venv/bin/jupyter lab --LabApp.news_url=None --LabApp.extension_manager=readonly \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
	  $$([ "$$(id -u)" = 0 ] && echo --allow-root)

demo: setup ## grade a demonstration class of twelve
	@$(STEP) "demonstration class" -- $(RUN) tools.demo_class

bank: setup ## grade every known right and wrong answer of PS and print who loses what
	@$(RUN) autograder bank $(PS)

lint: setup ## ruff and mypy over all Python, code cells included; generated files up to date
	@$(STEP) "lint" -- $(RUN) tools.lint

test: setup ## what CI runs: lint, a clean build of the site, every test
	@$(STEP) "lint" -- $(RUN) tools.lint
	@$(STEP) "site, clean build" -- $(RUN) tools.site --clean
	@$(STEP) "tests" -- $(RUN) pytest -n 2 --dist loadfile tests

bench: setup ## speed beside the reference implementations, interleaved runs, medians
	@$(RUN) tools.bench_hmm
	@$(RUN) tools.bench_bptt
	@$(RUN) tools.bench_lstm
	@$(RUN) tools.bench_grader

fuzz: setup ## look for bytes that break what reads a student's bytes (SECONDS=10 a target)
	@$(RUN) tools.fuzz --seconds $(or $(SECONDS),10)

soak: setup ## kill the grader with -9 at random moments and compare its gradebooks (KILLS=50)
	@$(RUN) tools.soak --kills $(or $(KILLS),50)

shots: site ## make the picture in README from the built site
	@$(RUN) tools.shots

lock: setup ## resolve requirements.in into requirements.txt
	@$(RUN) tools.lock

clean: ## remove everything that was built (not .venv)
	@rm -rf _build .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	@find . -name __pycache__ -not -path './.venv/*' -not -path './node_modules/*' -prune -exec rm -rf {} +
	@echo "removed _build and caches; rm -rf .venv node_modules removes the environment too"
