# `make help` lists the targets. Everything is set up in .venv; a second run of an unchanged set-up takes no time.
# PYTHON=/path/to/python3 overrides the Python that scripts/find-python finds; VENV=<folder> makes another environment.

VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help venv venv-unit venv-test demo demo-down test lint unit integration bench env docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

SETUP = @python="$$(scripts/find-python)" && "$$python" scripts/setup.py $(VENV)

venv: ## set up what deploying and the demo need
	$(SETUP) deploy lambda collections emulator

venv-unit:
	$(SETUP) deploy lambda collections dev node

venv-test: venv venv-unit

demo: venv ## the whole pipeline on this machine, without an AWS account
	@python -m demo up

demo-down: ## stop the demo and remove what it left
	@if [ -x $(BIN)/python ]; then python -m demo down; else echo "Nothing is set up here, so nothing runs."; fi

env: venv ## print the exports that point AWS tools at the local AWS
	@python -m emulator env

test: venv-test ## linters, unit and integration tests
	@status=0; $(MAKE) --no-print-directory lint || status=1; \
	pytest tests/unit tests/integration --durations=15 || status=1; exit $$status

LINTERS := "ruff check ." "mypy" "yamllint --strict ." "ansible-lint --strict --offline"

lint: venv-unit ## ruff, mypy, yamllint, ansible-lint
	@status=0; for linter in $(LINTERS); do echo "lint: $$linter"; $$linter || status=1; done; exit $$status

unit: venv-unit ## the tests that need nothing but Python
	pytest tests/unit

integration: venv-test ## the tests that run playbooks and restores on the local AWS
	pytest tests/integration --durations=15

bench: venv-test ## measure deployment, package and orchestration, write benchmarks/RESULTS.md (BENCH=--quick: one run)
	@python -m benchmarks $(BENCH)

docs: venv ## write the table of the roles' settings in docs/configuration.md again
	@python scripts/document_roles.py

lock: venv ## pin every version and hash again, from the requirements*.in files
	@pip install --quiet --disable-pip-version-check uv==0.13.9
	scripts/lock

clean: ## remove everything that was made here, .venv included
	-@[ ! -d .emulator ] || $(MAKE) --no-print-directory demo-down
	rm -rf $(VENV) .emulator build node_modules .ansible .pytest_cache .mypy_cache .ruff_cache
