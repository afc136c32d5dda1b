# The commands of the project. Each does its own set-up on a machine with Python 3.11 or newer and make.
# Debian is tested; macOS and WSL are not.

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench bench-things bench-churn bench-cameras bench-edge bench-dashboard screenshots \
	lint format pins clean run-environment dev-environment
MAKEFLAGS += --no-print-directory

# Options for the program behind a target: make demo ARGS="--http 8080", make test ARGS="-k units"
ARGS ?=
UV ?= uv
# Much of a test is waiting: one more than there are processors keeps them busy.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
# Public annotation of Debian's surveillance clip (MOT15 PETS09-S2L1); its licence does not let us ship it.
PETS_TRUTH ?= $(wildcard ../shared/data/cameras/pets09-s2l1-gt.txt)

help: ## list the commands
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '%-20s %s\n' "$$name" "$$text"; done

setup: run-environment ## make .venv with .venv/bin/diat in it
	@echo "ready: .venv/bin/diat"

demo: run-environment ## a small living house in the terminal; Ctrl-C ends it
	@exec .venv/bin/diat demo $(ARGS)

test: lint ## all checks, then all tests
	@exec .venv/bin/python -m pytest -q -n $(WORKERS) $(ARGS)

bench: dev-environment ## throughput, latency and rules beside the bare building blocks and Node-RED
	@exec .venv/bin/python -m benchmarks $(ARGS)

bench-things: dev-environment ## what 1,000, 10,000 and 50,000 things cost; about ten minutes
	@exec .venv/bin/python -m benchmarks things $(ARGS)

bench-edge: dev-environment ## bytes over a gateway's uplink in three modes; about six minutes
	@exec .venv/bin/python -m benchmarks.edge $(ARGS)

bench-churn: dev-environment ## how fast services re-bind while things come, go and move; some minutes
	@exec .venv/bin/python -m benchmarks churn $(ARGS)

bench-cameras: dev-environment ## cameras: bytes, recall, precision, quality, six cases; ten minutes
	@PETS_TRUTH="$(PETS_TRUTH)" exec .venv/bin/python -m benchmarks.cameras $(ARGS)

bench-dashboard: dev-environment ## what it costs to be looked at: 10,000 things, 20 browsers; some minutes
	@exec .venv/bin/python -m benchmarks.dashboard $(ARGS)

screenshots: dev-environment ## take the pictures of the dashboard in docs/screenshots; some minutes
	@exec .venv/bin/python docs/screenshots.py $(ARGS)

lint: dev-environment ## style, types and the direction of imports
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --quiet --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

format: dev-environment ## write the code in the house style
	@.venv/bin/ruff check --quiet --fix-only
	@.venv/bin/ruff format

PIN := --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links
pins: ## choose newer versions of what we depend on (needs uv)
	@command -v $(UV) >/dev/null || { echo "diat: make pins needs uv (or UV=/path/to/uv)" >&2; exit 1; }
	@$(UV) pip compile $(PIN) --upgrade pyproject.toml requirements/build.in \
		--extra cameras --extra buses -o requirements/run.txt
	@$(UV) pip compile $(PIN) --upgrade pyproject.toml requirements/build.in --all-extras \
		-c requirements/run.txt -o requirements/dev.txt

clean: ## take away .venv and all caches
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

run-environment:
	@PYTHON="$(PYTHON)" deploy/setup.sh run

dev-environment:
	@PYTHON="$(PYTHON)" deploy/setup.sh dev
