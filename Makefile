# Minibus; `make` alone shows what it can do.

# Every folder of blog/ but common is a part; its pyproject.toml says more.
SERVICES := $(filter-out common,$(patsubst blog/%/pyproject.toml,%,$(wildcard blog/*/pyproject.toml)))
PYTHON ?= python3

# The JavaScript and CSS that Biome checks and formats.
STYLED := blog

# Variables that are meant for other Pythons would change what runs here.
unexport $(filter-out PYTHON PYTHONUNBUFFERED,$(filter PYTHON% VIRTUAL_ENV,$(.VARIABLES)))

ifneq ($(filter stop start restart logs,$(MAKECMDGOALS)),)
ifneq ($(filter $(SERVICES),$(SERVICE)),$(or $(SERVICE),?))
$(error SERVICE is $(or $(SERVICE),missing), but has to be one of: $(SERVICES))
endif
endif

.PHONY: help
help:  ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*  ## /\1 /p' Makefile | while read target what; do printf '%-13s%s\n' $$target "$$what"; done

.PHONY: up down status logs
up: .venv/run  ## Start the blog and show its logs; Ctrl-C ends everything
	@.venv/bin/python -m infra.local.up

down: .venv/run  ## End everything, from another terminal
	@.venv/bin/python -m infra.local.control down

status: .venv/run  ## Show the state and the position of every service
	@.venv/bin/python -m infra.local.status

logs: .venv/run  ## Follow one log: make logs SERVICE=query
	@.venv/bin/python -m infra.local.logs $(SERVICE)

.PHONY: stop start restart
stop: .venv/run  ## Stop one service: make stop SERVICE=query
	@.venv/bin/python -m infra.local.control stop $(SERVICE)

start: .venv/run  ## Start one service: make start SERVICE=query
	@.venv/bin/python -m infra.local.control start $(SERVICE)

restart: .venv/run  ## Restart one service: make restart SERVICE=query
	@.venv/bin/python -m infra.local.control restart $(SERVICE)

.PHONY: story lab demo reset
story: .venv/run  ## Start the blog on a prepared log: make story STORY=query-was-down
	@.venv/bin/python -m infra.local.$(if $(STORY),up $(STORY),story)

lab: .venv/run  ## Play a failure in front of a class: make lab LAB=replay-on-restart
	@.venv/bin/python -m labs $(LAB)

demo: .venv/run  ## Fill the running blog with posts and comments worth looking at
	@.venv/bin/python -m infra.local.demo

reset: .venv/run  ## Delete all data, after a confirmation
	@.venv/bin/python -m infra.local.control reset

.PHONY: images minikube deploy undeploy forward test-k8s
images:  ## Build the six container images with Docker
	@$(PYTHON) -m infra.cluster.images

minikube: .venv/run  ## Start minikube, build the images in it, deploy the blog
	@.venv/bin/python -m infra.cluster.minikube

deploy: .venv/run  ## Deploy the blog to the cluster that kubectl points at; it needs the images
	@.venv/bin/python -m infra.cluster.deploy

undeploy: .venv/run  ## Delete the blog and its log from that cluster, after a confirmation
	@.venv/bin/python -m infra.cluster.deploy undeploy

forward: .venv/run  ## Forward ports of 127.0.0.1 to the blog in that cluster; Ctrl-C ends it
	@.venv/bin/python -m infra.cluster.forward

test-k8s: .venv/run  ## Test the blog in that cluster, in a namespace of its own
	@.venv/bin/python -m infra.cluster.trial

.PHONY: checkpoint
checkpoint: .venv/run  ## Check the result of a chapter's step: make checkpoint STEP=2.3
	@.venv/bin/python -m docs.checkpoints $(STEP)

.PHONY: conform
conform: .venv/$(if $(filter client,$(SERVICE)),test,run)  ## Check a service of your own: make conform SERVICE=posts URL=http://127.0.0.1:4000
	@.venv/bin/python -m conformance

.PHONY: test check format chaos durability hostile pages docs screenshots recording lock
test: .venv/test  ## Run all tests
	@.venv/bin/python -m pytest

chaos: .venv/test  ## Inject random faults, and look for lost events: make chaos SEEDS=500
	@.venv/bin/python -m tests.chaos $(foreach option,SEEDS FIRST WORKERS STORE MUTANT SCRIPT,$(if $($(option)),\
	--$(shell echo $(option) | tr A-Z a-z) "$($(option))"))

durability: .venv/test  ## Kill the bus under load, and look for lost events: make durability KILLS=600
	@KILLS=$(or $(KILLS),100) TEARS=$(or $(TEARS),300) .venv/bin/python -m pytest -n 0 -s --timeout 0 tests/faults/test_durability.py

hostile: .venv/test  ## Send random invalid requests to every part: make hostile FUZZ=20000 SEED=1
	@FUZZ=$(or $(FUZZ),5000) SEED=$(or $(SEED),8) .venv/bin/python -m pytest -n 0 -s --timeout 0 tests/faults/test_hostile.py

check: .venv/test  ## Check the code without running it: ruff, mypy, import-linter, biome
	@.venv/bin/python -m ruff check
	@.venv/bin/python -m ruff format --check
	@.venv/bin/python -m mypy blog tests infra harness labs bench conformance docs conftest.py
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/python infra/biome/biome.py check --error-on-warnings $(STYLED)

format: .venv/test  ## Format Python, JavaScript and CSS
	@.venv/bin/python -m ruff format
	@.venv/bin/python infra/biome/biome.py check --write $(STYLED)

pages: .venv/test  ## Run every command on the pages, and compare its output: make pages PAGE=README.md
	@.venv/bin/python -m pytest -n 0 tests/docs/test_pages.py $(or $(PAGE),README.md docs bench)

docs: .venv/test  ## Update the listings on the pages from the source
	@.venv/bin/python -m tests.docs.pages.listings

screenshots: .venv/test  ## Update the pictures of the README
	@.venv/bin/python -m tests.docs.screenshots

recording: .venv/run  ## Update the picture of a lab in the README
	@.venv/bin/python -m labs lost-without-a-store --auto --record docs/lab.svg

lock: .venv/run  ## Pin the newest version of every package in blog/requirements.txt
	@.venv/bin/python -m infra.local.lock

# Build the environment where it is missing, half made or outdated.
.PHONY: .venv/run .venv/test
.venv/run .venv/test:
	@$(PYTHON) -I infra/local/environment.py $(@F)
