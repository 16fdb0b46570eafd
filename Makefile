# make run: start the chat. make test: all tests. make check: what CI runs.
# Each folder of tools is made once and again only when the requirements change.

PYTHON ?= python3
PORT ?= 8000
BIN = .venv/bin

.PHONY: run test browser check bench clean

run: .venv/run
	$(BIN)/python run.py --port=$(PORT)

test: .venv/test
	$(BIN)/python -m pytest

browser:
	@if command -v chromium >/dev/null; then echo "chromium is here"; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y chromium; \
	else echo "Install Chromium (Debian, Ubuntu: sudo apt install chromium) to run the browser tests."; fi

check: .venv/check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: .venv/run
	$(BIN)/python bench/run.py $(BENCH)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/build

.venv/bin/python:
	$(PYTHON) -m venv .venv || { echo "Python's venv is missing: sudo apt install python3-venv"; exit 1; }

.venv/run: .venv/bin/python setup.cfg
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

.venv/test: .venv/run
	$(BIN)/python -m pip install -q --disable-pip-version-check -e ".[test]"
	@touch $@

.venv/check: .venv/test
	$(BIN)/python -m pip install -q --disable-pip-version-check -e ".[test,check]"
	@touch $@
