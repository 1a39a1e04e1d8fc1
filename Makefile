# Every target sets up what it needs: Python 3.11+ is all a machine must have.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := UV_NO_PROGRESS=1 $(BIN)/uv
PATHS := bot.py cogs utils sandbox examples tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help run test check format bench simulate soak clients lock clean

help:  ## List what can be done
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(VENV)/.run: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: install it, or say PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the bot needs (once)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "Installing what the tests need (once)..."
	@# forbiddenfruit (which blockbuster stands on) is published as source only
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-binary forbiddenfruit -r requirements-dev.lock
	@touch $@

run: $(VENV)/.run  ## Run the bot; without a token and keys it runs in its sandbox
	@exec $(BIN)/python bot.py --auto $(ARGS)

test: $(VENV)/.dev  ## Run all tests
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev  ## Lint, format and types
	$(BIN)/ruff check $(wildcard $(PATHS))
	$(BIN)/ruff format --check $(wildcard $(PATHS))
	$(BIN)/mypy

format: $(VENV)/.dev  ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix $(wildcard $(PATHS))
	$(BIN)/ruff format $(wildcard $(PATHS))

bench: $(VENV)/.dev clients  ## Run the benchmarks and write their tables into docs/benchmarks
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.service --rounds 3
	$(BIN)/python -m benchmarks.service.peers

clients: benchmarks/envs/.litellm/.done  ## Install the clients that the pool is compared with, in environments of their own

benchmarks/envs/.litellm/.done: benchmarks/envs/litellm.lock
	@$(PYTHON) -m venv benchmarks/envs/.litellm
	@benchmarks/envs/.litellm/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

simulate: $(VENV)/.dev  ## Simulate the pool's rules over the scenarios, 20 seeds each
	$(BIN)/python -m benchmarks.simulate $(ARGS)

soak: $(VENV)/.dev  ## Run the long forms of the tests
	$(BIN)/python -m pytest -m soak --timeout 5400 -n 0 $(ARGS)
	$(BIN)/python -m tests.mutation --write docs/benchmarks/mutation.md

lock: $(VENV)/.dev  ## Renew the locked requirements
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements.lock requirements.txt
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements-dev.lock requirements-dev.txt
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o benchmarks/envs/litellm.lock benchmarks/envs/litellm.txt

clean:  ## Remove the environment and caches; data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
