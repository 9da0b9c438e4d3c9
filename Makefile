# Everything stays inside this checkout, the user's cache folder and, for `ci-tools`, the system's packages.
# `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
TOOLS := $(CURDIR)/.tools
# The uv on PATH, else the one that `make setup` puts into the checkout.
UV = $(or $(shell command -v uv),$(TOOLS)/uv/bin/uv)
BIN := $(CURDIR)/.venv/bin

# A uv that downloads no Python of its own: it would put one into the user's home.
export UV_PYTHON_DOWNLOADS := never
ifneq ($(origin PYTHON),file)
export UV_PYTHON := $(PYTHON)
endif

# Where this is set, every process compiles PyTorch and the rest anew: it then starts three times as slowly, and the suite
# starts hundreds of them.
unexport PYTHONDONTWRITEBYTECODE

TRAIN_RNN := --views 2 --epochs 12 --patience 2 --seed 1
TRAIN_GAN := --channels 32 --dim 256 --epochs 5 --patience 12 --threads 1 --seed 1

.PHONY: help setup fmt lint type test test-bucket test-compose test-families soak fuzz bench bench-codes bench-extract bench-extract-memory bench-index bench-kafka bench-packages bench-query bench-tracing demo check up docs dashboards screenshots train-weights evaluate-families audit licences sbom ci-tools

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 24

setup: ## install uv where it is missing, and the locked environment
	@$(CURDIR)/tests/tools/uv.sh "$(PYTHON)" "$(TOOLS)"
	@echo "setup: the locked environment, in .venv"
	@TMPDIR="$(TOOLS)" $(UV) sync --locked --all-extras  # uv leaves its lock file where temporary files go

fmt: ## format the code, and fix what can be fixed safely
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lint: ## style, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/lint-imports

type: ## mypy, strict
	$(BIN)/mypy

check: setup ## what must hold before a commit: format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ci-tools: ## install what the tests use beside Python: Java, Maven, redis-server, kcat, prometheus, chromium, helm
	@$(CURDIR)/tests/tools/install.sh

# The whole suite, in a temporary folder that goes with it. TESTS="tests/unit -k name" runs a part. Two processes take a
# file each in turn: much of the time is spent waiting for servers. The files keep their order, in which the longest come
# first. A process that crashes ends the run: with a new one in its place, xdist would wait for ever at the end.
# PROCESSES=0 runs all in one, for a debugger.
test: setup ci-tools ## the whole suite, on real Kafka and Redis
	@echo "test: the suite, on real servers where they are installed"
	@scratch="$$(mktemp -d)"; trap 'rm -rf "$$scratch"' EXIT; \
	TMPDIR="$$scratch" $(BIN)/pytest -n $(or $(PROCESSES),2) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(TESTS) < /dev/null

# The server takes Go two minutes, once, which is why `make test` skips this where it is missing.
test-bucket: setup ci-tools ## build an S3 server, and index what is put into its bucket
	$(BIN)/python -m tests.harness.versitygw
	$(BIN)/pytest tests/e2e/test_bucket.py < /dev/null

test-families: setup ci-tools ## every family by every code through Kafka; `make test` takes each of them once or twice
	EVERY_PAIR=1 $(BIN)/pytest -n 2 tests/integration/test_families_and_codes.py < /dev/null

# It ends with status 1 if a promise broke. STEP=name SEED=7 takes one step of it, as it says of each.
soak: setup ci-tools ## break the service again and again, and count what it kept: MINUTES=30
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED)) $(if $(STEP),--step $(STEP)) < /dev/null

# As root, on Debian 12 or what has its packages. KEEP=1 keeps the images for the next run.
test-compose: setup ci-tools ## build the image, start docker-compose.yml with Podman, break it, and remove it all: KEEP=1
	@$(CURDIR)/tests/tools/containers.sh
	@$(BIN)/python -m tests.compose $(if $(KEEP),--keep) < /dev/null

fuzz: setup ## look for inputs that break the decoder and the reader of events: SECONDS=60
	$(UV) run --locked --all-extras --group fuzz python -m tests.fuzz $(or $(SECONDS),60)

bench: setup ## what streaming costs, as ratios against the bare parts
	$(BIN)/python -m benchmarks

bench-extract: bench-packages ## the extractor against the bare model, a naive handler and what else one would use
	$(BIN)/python -m benchmarks.extract

bench-extract-memory: setup ## is memory flat over many images? IMAGES=100000
	$(BIN)/python -m benchmarks.extract.endurance --images $(or $(IMAGES),100000)

bench-index: setup ## the index against other indexes and embedded vector databases: ROWS=100000,1000000 CACHE=/folder
	@TMPDIR="$(TOOLS)" $(UV) sync --locked --all-extras --group bench-index
	$(BIN)/python -m benchmarks.index $(if $(ROWS),--rows $(ROWS)) $(if $(CACHE),--cache '$(CACHE)')

bench-codes: setup ## codes: what they lose, and fitting and encoding against faiss and scikit-learn: CACHE=/folder
	$(BIN)/python -m benchmarks.codes --pictures "$$($(CURDIR)/tests/tools/openclipart.sh "$(TOOLS)")" $(if $(CACHE),--cache '$(CACHE)')

bench-query: setup ## queries, of one caller and of many, over Kafka and HTTP, against their bare parts: ROWS=20000
	$(BIN)/python -m benchmarks.queries $(if $(ROWS),--rows $(ROWS))

bench-tracing: setup ## what tracing costs the workers, of one image or query in a hundred, and of all
	$(BIN)/python -m benchmarks.tracing

bench-kafka: bench-packages ## the settings of the Kafka clients, against those that are set
	$(BIN)/python -m benchmarks.kafka_settings

bench-packages: setup
	@TMPDIR="$(TOOLS)" $(UV) sync --locked --all-extras --group bench

demo: setup ## index a folder of pictures and search it: IMAGES=/folder for your own, DEMO_EXIT=1 to end by itself
	$(BIN)/afterimage demo $(if $(IMAGES),--images '$(IMAGES)') $(if $(filter-out 0,$(DEMO_EXIT)),--exit)

up: setup ## a broker, a Redis and all workers, until Ctrl-C
	$(BIN)/afterimage up

# The seeds and the pictures are given; the cards beside the weights say what differs. Their SHA-256 is pinned in the code.
train-weights: setup ## train the weights of rnn, gan and bigan again, in half an hour: FAMILY=rnn for one of them
	@pictures="$$($(CURDIR)/tests/tools/openclipart.sh "$(TOOLS)")"; \
	for family in $(or $(FAMILY),rnn gan bigan); do \
	    case $$family in rnn) folder=rnn; options="$(TRAIN_RNN)";; *) folder=gan; options="$(TRAIN_GAN)";; esac; \
	    $(BIN)/afterimage train --family $$family --data "$$pictures" --exclude unsorted --out .tools/trained/$$family \
	        $$options --licence "public domain (the Open Clip Art Library, by Debian's openclipart-png)"; \
	    cp .tools/trained/$$family/encoder.safetensors shared/encoders/$$folder/weights/$$family.safetensors; \
	    sha256sum shared/encoders/$$folder/weights/$$family.safetensors; \
	done

evaluate-families: setup ## what the shipped families and codes find in photos, drawings and clothes: ONLY=copies for some
	@$(BIN)/python -m benchmarks.families --out .tools/families $(if $(ONLY),--only '$(ONLY)') \
	    --drawings "$$($(CURDIR)/tests/tools/openclipart.sh "$(TOOLS)")" \
	    --clothes "$$($(CURDIR)/tests/tools/fashion_mnist.sh "$(TOOLS)")"

# Of what is installed with all extras, and not of what only tests and benchmarks use.
RELEASED = $(UV) export --locked --all-extras --no-dev --no-emit-project --quiet

audit: setup ## known vulnerabilities of the packages that are locked: asks PyPI
	@mkdir -p "$(TOOLS)"; $(RELEASED) --output-file "$(TOOLS)/released.txt"
	@$(UV) run --locked --isolated --only-group audit pip-audit --strict --disable-pip --require-hashes -r "$(TOOLS)/released.txt"

licences: setup ## the licences of these packages, and that all go with Apache-2.0
	@$(UV) run --locked --isolated --only-group audit pip-licenses --python "$(BIN)/python" --summary --packages \
	    $$($(RELEASED) --no-hashes --no-annotate --no-header | sed 's/[ ;=].*//' | sort -u)

sbom: setup ## sbom.cdx.json: the packages of a release, as CycloneDX
	@$(UV) export --locked --all-extras --no-dev --quiet --format cyclonedx1.5 --output-file sbom.cdx.json
	@echo "sbom: sbom.cdx.json"

screenshots: setup ci-tools ## take the README's pictures of the page, from the running service with the demo's photos
	$(BIN)/python -m docs.screenshots

docs: setup ## the documents that are generated from the code
	$(BIN)/python -m docs.generate

dashboards: setup ## the dashboards that Grafana reads, from deploy/grafana/source
	$(BIN)/python -m deploy.grafana.source.generate
