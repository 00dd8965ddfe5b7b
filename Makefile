# Every chore is one target. `make run` and `make test` need nothing but Python 3.11+ and a Rust toolchain.
#
# All Python packages live in .venv, pinned by requirements-dev.lock. Stamp files in it remember what is done, so that
# a second call does only what the changed files ask for.

PYTHON ?= python3
FILES ?= genomes/*.fa
VOCAB ?= 4096

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements-dev.lock
INSTALL := $(BIN)/python -m release.lock install
RECIPES := build/recipes
AUDIT := build/audit
# What developing needs. What only a release needs (the extra `release`) waits for `make wheels`.
EXTRAS := model train ray report test lint bench docs
# Rust targets of `make wheels`, such as x86_64-unknown-linux-musl; empty: this machine's.
TARGETS ?=
# SDIST=no leaves out the source distribution.
SDIST ?=
# Processes of the Python tests; each may need 3 GB. A file's tests stay in one process, with what they share.
JOBS ?= 2
# Calls that `make faults` tries of each command and kind; 0: all.
SAMPLE ?= 0
# Mutants that `make mutants` tries of each part; 0: all.
MUTANTS ?= 40
# The tests of `make threads`, by a part of their name; all if it is empty.
FILTER ?=
# Seconds of `make fuzz` for each target.
SECONDS ?= 60
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
RUST := Cargo.toml Cargo.lock $(shell find rust -name target -prune -o \( -name '*.rs' -o -name Cargo.toml \) -print)

# One interpreter for every build of the extension: another one would rebuild the bindings.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
# Tests start hundreds of programs: what Python compiles of them is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run build test lint lint-rust lint-python test-rust test-python fuzz coverage threads docs format bench faults mutants tables man wheels lint-workflows release-check recipes audit reproducible lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## build, then train a tokenizer on FILES (genomes/*.fa) with VOCAB (4096) tokens
	$(BIN)/genotok train-bpe --vocab $(VOCAB) $(FILES)

build: $(VENV)/.built ## build the package in release mode into .venv

test: lint test-rust test-python ## all lints and all tests, Rust and Python

lint: lint-rust lint-python ## formatting, clippy, ruff, mypy, and the stub against the module

lint-rust: $(VENV)/.created
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 \
		|| { echo "genotok's lints need rustfmt and clippy: rustup component add rustfmt clippy" >&2; exit 1; }
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo fmt --manifest-path mutants/spans/Cargo.toml --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

lint-python: $(VENV)/.built $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest genotok._native

test-rust: $(VENV)/.created ## unit, property and documentation tests of the core
	cargo test --package genotok-core --all-features --locked

test-python: $(VENV)/.built $(VENV)/.dev ## pytest, in JOBS processes
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

fuzz: $(VENV)/.built $(VENV)/.dev ## run each fuzz target for SECONDS (60) seconds, with AddressSanitizer
	$(BIN)/python fuzz/run.py --seconds $(SECONDS)
	$(BIN)/python fuzz/readers.py --seconds $(SECONDS)

coverage: $(VENV)/.built $(VENV)/.dev ## which lines and branches the tests reach, by cargo-llvm-cov and coverage.py, and renew the page (an hour)
	$(BIN)/python -m tests.support.reached rust
	$(BIN)/python -m tests.support.reached python

threads: $(VENV)/.created ## unit tests of the core under ThreadSanitizer, with the standard library built for it
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread cargo test --package genotok-core --all-features --locked --lib \
		-Zbuild-std --target $(HOST) --target-dir target/threads $(FILTER)

docs: $(VENV)/.built $(VENV)/.dev ## build the documentation site into docs/_build/html, run its notebooks, check its links
	rm -rf docs/_build/html
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/sphinx-build -E -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python docs/building/check_site.py docs/_build/html

format: $(VENV)/.dev ## rewrite Rust and Python sources in the house format
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	cargo fmt --manifest-path mutants/spans/Cargo.toml
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.built $(VENV)/.dev ## measure training, encoding and the speed studies, and renew the tables
	$(BIN)/python -m benchmarks.train
	$(BIN)/python -m benchmarks.encode
	$(BIN)/pytest --benchmark
	$(MAKE) tables

faults: $(VENV)/.built $(VENV)/.dev ## try every command that writes with every fault of the system, and renew the table (hours; SAMPLE=4: less)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.support.faults --sample $(SAMPLE)

mutants: $(VENV)/.built $(VENV)/.dev ## try whether tests notice changes of the code: MUTANTS (40; 0: all) of each part, with cargo-mutants and mutmut
	$(BIN)/python -m mutants.core --number $(MUTANTS)
	$(BIN)/python -m mutants.packages --number $(MUTANTS)

tables: $(VENV)/.built $(VENV)/.dev ## renew the documentation's tables and figure from the newest records, without measuring
	$(BIN)/python -m benchmarks.table
	$(BIN)/python -m docs.figures.draw_speed
	$(BIN)/python -m docs.figures.draw_gue
	$(BIN)/python -m docs.figures.draw_tokenizers

man: $(VENV)/.built ## renew the manual page that wheels install
	$(BIN)/genotok help --man > share/data/share/man/man1/genotok.1

wheels: $(VENV)/.release ## build wheels (for TARGETS, this machine) and the source distribution into dist/, and try them
	$(BIN)/python -m release.wheels $(if $(filter no,$(SDIST)),--no-sdist) $(TARGETS)

lint-workflows: $(VENV)/.release ## check the workflows below .github
	$(BIN)/python -m release.checklist --only workflows

release-check: $(VENV)/.built $(VENV)/.dev $(VENV)/.release ## go through the release checklist; publishes nothing
	$(BIN)/python -m release.checklist

recipes: $(VENV)/.built $(VENV)/.dev $(RECIPES)/.installed ## lint, render and run the recipes with tools in build/recipes, and make a MultiQC report
	$(RECIPES)/bin/yamllint --strict --config-file recipes/.yamllint recipes
	$(RECIPES)/bin/hadolint recipes/container/Dockerfile
	$(RECIPES)/bin/python recipes/conda/lint.py
	$(RECIPES)/bin/planemo lint --fail_level warn recipes/galaxy
	PATH="$(CURDIR)/$(BIN):$$PATH" $(RECIPES)/bin/python recipes/galaxy/run_tests.py
	rm -rf $(RECIPES)/workflow && mkdir $(RECIPES)/workflow
	PATH="$(CURDIR)/$(BIN):$(CURDIR)/$(RECIPES)/bin:$$PATH" $(RECIPES)/bin/snakemake --cores 2 --quiet all \
		--directory $(RECIPES)/workflow --config genomes="$(CURDIR)/genomes" --snakefile recipes/snakemake/Snakefile
	PATH="$$PATH:$(CURDIR)/$(RECIPES)/bin" $(BIN)/pytest tests/test_recipes.py tests/test_multiqc.py
	@echo "MultiQC report: $(RECIPES)/workflow/multiqc_report.html"

audit: $(VENV)/.created $(AUDIT)/.tried ## licences, sources, duplicates and advisories of what genotok is built from; SKIPPED without tool or network
	@PATH="$(CURDIR)/$(AUDIT)/bin:$$PATH" $(BIN)/python -m release.audit

reproducible: $(VENV)/.release ## build the wheel of the last commit twice, in two folders, and compare the bytes
	$(BIN)/python -m release.reproducible

lock: $(VENV)/.release ## resolve the newest allowed packages and write requirements-dev.lock anew
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& $(BIN)/python -m release.lock requirements > "$$folder/requirements.in" \
		&& $(BIN)/uv pip compile --quiet --universal --python-version 3.11.5 --format pylock.toml \
			--output-file "$$folder/pylock.toml" "$$folder/requirements.in" \
		&& $(BIN)/python -m release.lock write "$$folder/pylock.toml"

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) target fuzz/target dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks docs/_build docs/reference/{cli,python}
	find python tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	rm -f python/genotok/_native*.so

$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null \
		|| { echo "genotok needs Python 3.11 or newer, and '$(PYTHON)' was not found: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "genotok needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version): make PYTHON=/path/to/python3" >&2; exit 1; }
	@command -v cargo >/dev/null \
		|| { echo "genotok needs a Rust toolchain, and 'cargo' was not found: rustup installs one" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The tools of `make recipes`, whose many packages are kept from those of .venv.
$(RECIPES)/.installed: $(VENV)/.created recipes/requirements.txt
	$(PYTHON) -m venv --clear $(RECIPES)
	$(RECIPES)/bin/python -m pip --quiet --disable-pip-version-check --no-input install --requirement recipes/requirements.txt
	@touch $@

# pip-audit needs packages that developing does not. Without network it is left out, and `make audit` says so.
$(AUDIT)/.tried: $(VENV)/.created
	@$(PYTHON) -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/python -m pip --quiet --disable-pip-version-check --no-input install "pip-audit>=2.10,<3" && touch $@ \
		|| echo "pip-audit could not be installed" >&2

# What building and running need; the rest of the lock file waits for the first test.
$(VENV)/.tools: $(VENV)/.created $(LOCK)
	$(INSTALL) maturin rich typer
	@touch $@

# The lock file says which versions and files, not what to install: torch for CPUs alone needs none of CUDA's
# packages, and PIP_EXTRA_INDEX_URL may name where it is. Tests import a small part of 20,000 modules, which Python
# compiles then; pip would take a minute for all.
$(VENV)/.dev: $(VENV)/.tools $(LOCK)
	$(INSTALL) --no-compile --extra $(EXTRAS)
	@touch $@

$(VENV)/.release: $(VENV)/.tools $(LOCK)
	$(INSTALL) --extra release
	@touch $@

$(VENV)/.built: $(VENV)/.tools pyproject.toml $(RUST)
	$(BIN)/maturin develop --release --locked
	@touch $@
