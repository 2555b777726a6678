# The commands of this project. Each does its own set-up; a second call finds it done.
# make setup | run | test | check | bench | bench-full | soak | verify-model | pins
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

PYTHON ?= python3
export PYTHON
# Python reads and writes UTF-8 here whatever the machine's locale is.
export PYTHONUTF8 := 1
BIN := .venv/bin
# Letters in Japanese are printed with this font; without it everything else works, and printing says what is missing.
RUN_PACKAGES := fonts-ipafont-gothic:/usr/share/fonts/opentype/ipafont-gothic/ipagp.ttf
TEST_PACKAGES := gcc libc6-dev:/usr/include/stdio.h chromium postgresql:psql prometheus openjdk-17-jre-headless:java softhsm2:softhsm2-util \
	swtpm swtpm-tools:swtpm_setup libtss2-dev:/usr/include/tss2/tss2_esys.h pkg-config python3-dev:python3-config spin iproute2:tc \
	slurmctld slurmd slurm-client:scontrol munge:munged $(RUN_PACKAGES)
SEED ?= $(shell date +%s)
# So many test files run side by side, each worker with the systems that its files need (CONTRIBUTING.md); 0: one
# after another, in this process. More than two gain little: what is bound to real time is not run side by side.
JOBS ?= $(shell [ "$$(nproc)" -gt 1 ] && echo 2 || echo 0)
# The tests start thousands of interpreters: compiled once, our modules are not compiled by each of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test check format bench bench-full soak verify-model pins

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: ## everything that developing needs, but no system package
	@scripts/setup everything

run: ## the drill on a real workload, then the console until Ctrl-C (SEKISHO_RUN_ONCE=1: until its first page)
	@scripts/system-packages --if-possible $(RUN_PACKAGES)
	@scripts/setup run
	@$(BIN)/sekisho drill --serve

test: ## all tests (SEKISHO_NO_APT=1: no system package; JOBS: two files at a time, 0 for one; PYTEST_ARGS=...: for pytest)
	@scripts/system-packages $(TEST_PACKAGES)
	@scripts/setup everything
	@$(BIN)/pytest -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

check: ## format, lint, types, import directions
	@scripts/setup everything
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: ## lays the code out, mends what can be mended
	@scripts/setup everything
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: ## one table of measured figures, beside peers where there are any
	@scripts/setup bench
	@$(BIN)/python bench/run.py

bench-full: ## a whole fleet-day, 864 million readings: half an hour and 30 GB in TMPDIR, gone afterwards
	@scripts/setup bench
	@$(BIN)/python bench/run.py --full

verify-model: ## every state of the models at their bounds, and each mutant's counterexample (docs/verification.md)
	@scripts/system-packages spin gcc libc6-dev:/usr/include/stdio.h
	@scripts/setup everything
	@scripts/verify-model

soak: ## the long counts: kills, random schedules, fuzzing (SEED=...: the same again)
	@scripts/setup everything
	@echo 'soak: SEED=$(SEED)'
	@SEKISHO_SEED=$(SEED) $(BIN)/pytest -m soak --hypothesis-seed=$(SEED) $(PYTEST_ARGS)

pins: ## requirements/*.txt anew (UPGRADE=1: with newer versions)
	@scripts/setup everything
	@scripts/pins
