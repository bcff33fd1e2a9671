# Two commands for a fresh machine: `make demo` and `make test`. Both install into .venv first.
PYTHON ?= python3
BIN := .venv/bin
# Tests of one file stay in one process, since they share what is slow to make. Files begin in the order of conftest.py.
PARALLEL ?= -n 2 --dist loadfile --no-loadscope-reorder
# Small models on small machines: a second OpenMP thread in each of two processes costs more than it brings.
export OMP_NUM_THREADS ?= 1
# Without files of compiled code every process compiles every module again, the tests' own too.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test fast lint mypy pyright leaderboard-check leaderboard-make picture docs site clean

demo: .venv/installed
	$(BIN)/foleybench demo --out out/demo

test: .venv/installed-test lint
	$(BIN)/python -m pytest $(PARALLEL) -m "not browser"
	$(BIN)/python -m pytest -m browser $$(grep -rlE "NEEDS_BROWSER|mark.browser" --include="test_*.py" tests)

fast: .venv/installed-test
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not browser"

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory -j 2 mypy pyright

mypy pyright:
	$(BIN)/$@

# A broken link, a name that the API does not have or a page that is not there ends it. The site is in out/site.
docs: .venv/installed-docs
	$(BIN)/zensical build --strict

leaderboard-check: .venv/installed
	$(BIN)/foleybench leaderboard --check

leaderboard-make: .venv/installed
	$(BIN)/foleybench leaderboard

# The README's picture: the top of the leaderboard's page, as a browser shows it.
CHROMIUM ?= chromium
picture:
	$(CHROMIUM) --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1366,1130 \
		--screenshot=leaderboards/synthfoley.png file://$(CURDIR)/leaderboards/index.html

# What is published: the site, with the leaderboard's page beside it.
site: docs
	cp leaderboards/index.html out/site/leaderboard.html

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --editable ".[test,lint]"
	touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@

clean:
	rm -rf .venv out runs
