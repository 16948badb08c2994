# The project's commands; `make` alone lists them, and CI runs the same ones.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PYTHON_IN_VENV := $(VENV)/bin/python
SEED ?=
SEEDS ?= tests/data/seeds/bioinformatics.yaml

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: demo-environment ## Take a seed through the lab, from Spack to module load on a compute node (SEED=path for yours)
	@$(PYTHON_IN_VENV) scripts/demo.py $(if $(SEED),"$(SEED)")

.PHONY: test
test: system-packages test-environment ## Run every level and the linters
	@$(PYTHON_IN_VENV) scripts/run_tests.py

.PHONY: test-unit test-module test-judge test-chain test-real test-floors
test-floors: system-packages test-environment ## Unit tests, and real Ansible against the lab, with the oldest releases that are promised
test-unit: test-environment ## Decisions and modules against fakes (under a minute)
test-module: system-packages test-environment ## Modules and the lab's rules against the lab's API and block devices
test-judge: test-environment ## Rendered cluster configs against the real aws-parallelcluster
test-chain: system-packages test-environment ## From seed to module load on the lab's hosts
test-real: system-packages test-environment ## The real Spack in the place of the stand-in, where a mirror can be had (scripts/spack_mirror.sh)
test-unit test-module test-judge test-chain test-real test-floors:
	@$(PYTHON_IN_VENV) scripts/run_tests.py $(@:test-%=%)

.PHONY: molecule
molecule: system-packages test-environment ## Roles on the lab's hosts
	@$(PYTHON_IN_VENV) scripts/run_tests.py molecule

.PHONY: lint
lint: test-environment ## ruff, yamllint, shellcheck, ansible-lint (production profile), antsibull-changelog
	@$(PYTHON_IN_VENV) scripts/run_tests.py lint

.PHONY: sanity
sanity: test-environment ## ansible-test sanity on a copy outside the checkout
	@$(PYTHON_IN_VENV) scripts/run_tests.py sanity

.PHONY: bench-ebs
bench-ebs: test-environment ## Volumes: ours, amazon.aws and plain boto3 side by side; fails where a target is missed
	@$(PYTHON_IN_VENV) -m benchmarks.ebs

.PHONY: bench-generator
bench-generator: test-environment ## Cluster configs: many seeds in one process against one each; fails where a target is missed
	@sh scripts/bootstrap.sh .venv-pcluster requirements/pcluster.txt
	@$(PYTHON_IN_VENV) -m benchmarks.generator

.PHONY: bench-spack
bench-spack: test-environment ## Builds: one environment and petal's serial installs side by side; fails where a target is missed
	@$(PYTHON_IN_VENV) -m benchmarks.spack

.PHONY: bench-registry
bench-registry: test-environment ## The registry: look-up and search among 100 to 100,000 entries; fails where a target is missed
	@$(PYTHON_IN_VENV) -m benchmarks.registry

.PHONY: concretise-seeds
concretise-seeds: test-environment ## Mend seeds and have the real Spack concretise them (SEEDS="file folder ..."); needs mirrors (scripts/spack_mirror.sh)
	@$(PYTHON_IN_VENV) -m benchmarks.real_seeds $(SEEDS)

.PHONY: raise-pins
raise-pins: ## Take the newest releases that requirements/ allow and pin them (requirements/pins/)
	@sh scripts/raise_pins.sh

.PHONY: image
image: demo-environment ## Build the lab's host image ahead of time (kept in the cache)
	@$(PYTHON_IN_VENV) -m tests.lab image

.PHONY: clean
clean: ## Remove whatever a lab left behind, and the caches in the checkout
	@if [ -x $(PYTHON_IN_VENV) ]; then $(PYTHON_IN_VENV) -m tests.lab clean; fi
	@rm -rf .cache .ruff_cache .pytest_cache .hypothesis .ansible
	@find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

# As root on Debian, installs what the lab's hosts need (PETAL_NO_APT=1 stops that); else says what is missing, and what needs it is skipped.
.PHONY: system-packages
system-packages:
	@sh scripts/system_packages.sh || true

.PHONY: demo-environment
demo-environment: system-packages
	@sh scripts/bootstrap.sh $(VENV) requirements/demo.txt

.PHONY: test-environment
test-environment:
	@sh scripts/bootstrap.sh $(VENV) requirements/test.txt
