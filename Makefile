# make run: start the chat. make test: all tests, those of the page if Chromium is there.
# make quick: the tests of the server that take no longer than a minute, for every day.
# make check: what CI runs. make screenshots: takes the pictures of docs/ anew.
# The folder .venv is made once, and again only when the requirements or its Python change.

PYTHON ?= python3
PORT ?= 8000
BIN = .venv/bin

# Tests wait more than they work. Who has run out of tests takes half of those that another has left.
PYTEST = $(BIN)/python -m pytest -n 3 --dist worksteal

.PHONY: run quick test browser check bench screenshots clean

# After an upgrade of the system its Python is another one, and what was installed is out of reach.
ifneq ($(wildcard .venv/run),)
$(shell $(BIN)/python -c 'import tornado' 2>/dev/null || rm -rf .venv)
endif

run: .venv/run
	$(BIN)/python run.py --port=$(PORT)

quick: .venv/test
	$(PYTEST) -m "not slow" --ignore=tests/browser

test: .venv/test
	$(PYTEST)

browser:
	@if command -v chromium >/dev/null; then echo "chromium is here"; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y chromium; \
	else echo "Install Chromium (Debian, Ubuntu: sudo apt install chromium) to run the browser tests."; fi

check: .venv/check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

bench: .venv/run
	@command -v cc >/dev/null || { echo "A C compiler is missing: sudo apt install gcc libc6-dev"; exit 1; }
	$(BIN)/python bench/run.py $(BENCH)

screenshots: .venv/test
	$(BIN)/python -m tests.browser.screenshots

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/build build *.egg-info

# What is missing is said in one line, and nothing half made is left behind.
.venv/bin/pip:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and "needs Python 3.11 or newer, this is %d.%d" % v)'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/run: .venv/bin/pip setup.cfg
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

.venv/test: .venv/run
	$(BIN)/python -m pip install -q --disable-pip-version-check -e ".[test]"
	@touch $@

.venv/check: .venv/test
	$(BIN)/python -m pip install -q --disable-pip-version-check -e ".[test,check]"
	@touch $@
