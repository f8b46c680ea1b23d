# make run    the demo: river models learn real data, their cost is live at /metrics
# make test   every check and every test
# make bench  the benchmarks, beside the peers in the same run: tables and plots in docs/benchmarks.md
# make bench-alarms  how often alarms are false, and how soon they come: some minutes
# make fix    format the code and mend what ruff can mend

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench

.PHONY: run test check bench bench-alarms fix clean

run: $(STAMP)
	@$(BIN)/losswatch demo

test: check
	$(BIN)/pytest

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BENCH_STAMP)
	$(BIN)/python -m benchmarks --write

bench-alarms: $(BENCH_STAMP)
	$(BIN)/python -m benchmarks alarms --write

fix: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "losswatch needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version`." \
	    "Name another one: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@

$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group bench
	@touch $@
