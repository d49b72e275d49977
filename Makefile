# make setup, make demo, make test: all that a fresh clone needs beside Python 3.11+, Java 17 or 21, and make.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
CONFIG ?= conf/local.yaml
DIST ?= dist

.PHONY: setup demo test lint types check docs package benchmark benchmark-objectstore benchmark-ingest benchmark-synthetic benchmark-labels benchmark-text benchmark-pseudonymise benchmark-cohorts attack fuzz kills test-objectstore test-long test-browser test-dcmtk clean

setup: $(READY)

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) found. smi_spark needs Python 3.11 or newer: install one, or name it with make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("smi_spark needs Python 3.11 or newer: %s is %s. Name another with make PYTHON=/path/to/python3.12" % (sys.executable, sys.version.split()[0]) if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m smi_spark.java
	@test -x $(BIN)/pip || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); } || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment: install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@echo "installing smi_spark and what it needs (a minute or two) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,develop,package]'
	@$(BIN)/python -m smi_spark.session
	@$(BIN)/python -m smi_spark.dicom
	@touch $@

demo: $(READY)
	@$(BIN)/python jobs/demo.py --config $(CONFIG)

# In the order of the folders: tests with Spark first, and many short ones behind them that fill both workers to the end.
test: $(READY)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not objectstore and not browser and not dcmtk and not long"

test-objectstore: $(READY)
	@$(call program,versitygw,go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)
	$(BIN)/pytest -m "objectstore and not long"

test-long: $(READY)
	@$(call program,versitygw,go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)
	$(BIN)/pytest -m "long and objectstore"
	$(BIN)/pytest -n 2 --dist loadfile -m "long and not objectstore"

test-browser: $(READY)
	@$(call program,chromium,apt install chromium)
	$(BIN)/pytest -m browser

test-dcmtk: $(READY)
	@$(call program,dcm2json,apt install dcmtk)
	$(BIN)/pytest -m dcmtk

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

check: $(READY)
	@$(BIN)/python jobs/check.py --config $(CONFIG)

docs: $(READY)
	$(BIN)/python -m smi_spark.dictionary > docs/data-dictionary.md

package: $(READY)
	@$(BIN)/python package/environment.py --out $(DIST)

benchmark: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[benchmark]'
	$(BIN)/python benchmarks/headers.py

benchmark-objectstore: $(READY)
	@$(call program,versitygw,go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[benchmark]'
	$(BIN)/python benchmarks/objectstore.py

benchmark-ingest: $(READY)
	$(BIN)/python benchmarks/ingest.py

benchmark-synthetic: $(READY)
	$(BIN)/python benchmarks/synthetic.py

benchmark-labels: $(READY)
	$(BIN)/python benchmarks/labels.py

benchmark-text: $(READY)
	$(BIN)/python benchmarks/text.py

benchmark-pseudonymise: $(READY)
	$(BIN)/python benchmarks/pseudonymise.py

benchmark-cohorts: $(READY)
	$(BIN)/python benchmarks/cohorts.py

attack: $(READY)
	$(BIN)/python benchmarks/attack.py

fuzz: $(READY)
	$(BIN)/python benchmarks/fuzz.py

kills: $(READY)
	$(BIN)/python benchmarks/kills.py

clean:
	rm -rf $(VENV) data build dist spark-warehouse .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis

# $(call program,NAME,HOW): end with a line that names the program and how to get it, when it is not on the PATH.
program = command -v $(1) >/dev/null || { echo "$@ needs $(1), which is not on the PATH: $(2)" >&2; exit 2; }
