# Needs git, make and Python 3.10 or newer; everything else goes into a virtual environment of the project's own.
#
#   make demo    train a small classifier three times, then look at what was saved (installs little)
#   make test    linters, types, layers and all tests (installs what the tests need, PyTorch among it)
#   make lint    only the linters, types and layers
#   make bench   the benchmarks: a table, and JSON in benchmarks/results/
#   make vendor  fetch the libraries of the web page anew (needs npm)
#   make clean   delete what these made, the virtual environment included
#
# Choose an interpreter with `make PYTHON=python3.12 test`; pass options to pytest with `make test PYTEST="-k chunks"`.

SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST ?=

# Python 3.11 first: the PyTorch that the tests are pinned to is not built for the CPU alone everywhere else (README,
# "What is fetched"). A name that is only a shim, or has no `venv`, is passed over.
CANDIDATES := $(or $(PYTHON),python3.11 python3 python3.13 python3.12 python3.10 python3.14)

.PHONY: demo test lint browser bench vendor clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed-demo
	@$(BIN)/python examples/demo/run.py

# pytest comes last, so that its summary is the last thing to be read.
test: lint browser
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo --no-cache

# The tests of the web page drive a real browser, with fonts. Where it is not there and apt is, apt brings it.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
	[ -z "$$KEEPSAKE_TEST_CHROMIUM" ] || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing Chromium for the tests of the web page"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=400 install -y -qq \
	        --no-install-recommends chromium fonts-dejavu-core fonts-liberation >/dev/null; \
	else \
	    echo "the tests of the web page need Chromium" >&2; \
	    echo "hint: install it (Debian: apt install chromium), or set KEEPSAKE_TEST_CHROMIUM to its program" >&2; exit 1; \
	fi

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks

vendor: $(VENV)/.installed-test
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python scripts/vendor.py

clean:
	rm -rf $(VENV) demo-output benchmarks/results benchmarks/.peers dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

# Dependency groups (PEP 735) need pip 25.1; Python 3.10 to 3.12 come with an older one.
$(VENV)/.created:
	@for python in $(CANDIDATES); do \
	    if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then \
	        echo "making $(VENV) with $$($$python --version)"; \
	        rm -rf $(VENV) && $$python -m venv $(VENV) || exit 1; \
	        $(BIN)/python -m pip install -qq --upgrade 'pip>=25.1' || exit 1; \
	        touch $@; exit; \
	    fi; \
	done; \
	echo "no Python 3.10 or newer with venv among: $(CANDIDATES)" >&2; \
	echo "hint: on Debian, apt install python3-venv; or name one: make PYTHON=/path/to/python3" >&2; exit 1

$(VENV)/.installed-demo: $(VENV)/.created pyproject.toml
	@echo "installing what the demo needs (about a minute the first time)"
	@$(BIN)/python -m pip install -qq --editable '.[plot]' --group demo
	@touch $@

$(VENV)/.installed-test: $(VENV)/.created pyproject.toml
	@echo "installing what the tests need (a few minutes the first time)"
	@$(BIN)/python -m pip install -qq --editable '.[all]' --group demo --group test
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/npm install --silent --no-fund --no-audit --prefix $(VENV)/npm azurite@3.37.0 axe-core@4.14.1
	@touch $@
