# Two commands are enough: `make audit` runs the main job, `make test` passes the tests. Each does all its set-up.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.primum-ready
# The CPU build of torch is a third of the size; set TORCH= to take the index's default (CUDA) build.
TORCH ?= cpu

.PHONY: audit align test lint types format bench setup clean help

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(STAMP) ## Make .venv with pinned versions

$(STAMP): pyproject.toml constraints.txt tools/setup_venv.sh
	sh tools/setup_venv.sh "$(PYTHON)" "$(VENV)" "$(TORCH)"
	touch $@

audit: $(STAMP) ## Audit the embedded model with the quick protocol
	$(BIN)/primum models pull smollm2-135m
	$(BIN)/primum audit --protocol quick --model embedded; status=$$?; [ $$status -le 1 ] || exit $$status

align: $(STAMP) ## Align the embedded model at small size and certify what changed
	$(BIN)/primum models pull smollm2-135m
	$(BIN)/primum align --model embedded --suite align-small --out alignments/small; status=$$?; [ $$status -le 1 ] || exit $$status

test: $(STAMP) ## Style, types, floors, and all tests with coverage
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/primum models pull smollm2-135m
	$(BIN)/pytest --cov --cov-report=term

bench: $(STAMP) ## Compare speed with lm-evaluation-harness and Inspect (own environment)
	sh bench/run.sh "$(PYTHON)"

format: $(STAMP) ## Format the code
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

clean: ## Remove what was made here
	rm -rf $(VENV) .venv-bench build dist .coverage .mypy_cache .ruff_cache .pytest_cache
