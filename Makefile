# jwt-warden: every command that builds, shows or checks it. Needs cargo with rustup, python3 and the network.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

# They would replace those of .cargo/config.toml, and with them the vectors.
unexport RUSTFLAGS CARGO_ENCODED_RUSTFLAGS

TARGET := wasm32-wasip1
BUILT := $(or $(CARGO_TARGET_DIR),target)/$(TARGET)/release/jwt_warden.wasm
ARTIFACT := dist/jwt_warden.wasm
# Panics name their file. Without the builder's own folder in it, every builder gets the same bytes.
REMAP := --config "target.$(TARGET).rustflags = ['--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=crates']"
# LLVM copies short functions into their callers; at its own limits, 275 and for what is marked #[inline] 325, the module is
# an eighth larger and no faster. Crates are compiled with their own limits: these hold where all are linked. What would be
# slower, the kernel of RSA, is marked #[inline(always)].
SMALL := -C llvm-args=-inline-threshold=60 -C llvm-args=-inlinehint-threshold=120
MATRIX := 1.36.4 1.37.0 1.39.3 1.40.0
# What tools/envoy takes unless told otherwise: the whole suite runs in it.
NEWEST := 1.40.0
WORKERS := 2

.PHONY: help build image run test test-unit test-wasm test-e2e test-matrix bench bench-growth dashboard fuzz fuzz-short mutants lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build dist/jwt_warden.wasm
	@tools/rust $(TARGET)
	cargo rustc --release --target $(TARGET) --locked --lib --crate-type cdylib $(REMAP) -- $(SMALL)
	install -D -m 644 $(BUILT) $(ARTIFACT)
	echo "$(ARTIFACT): $$(wc -c < $(ARTIFACT)) bytes, sha256 $$(sha256sum < $(ARTIFACT) | cut -d ' ' -f 1)"

image: build ## Make an OCI image of the module in dist/image, for oci://
	@python3 tools/image $(ARTIFACT) dist/image

run: build ## Show the filter at work in a real Envoy, until Ctrl-C
	@python=$$(tools/python)
	export ENVOY=$$(tools/envoy)
	exec "$$python" envoy/demo.py

test: ## Run every test
	@$(MAKE) test-unit
	$(MAKE) test-wasm
	$(MAKE) test-e2e
	$(MAKE) test-matrix MATRIX="$(filter-out $(NEWEST),$(MATRIX))"

test-unit: ## Run the tests that need no proxy
	@tools/rust
	cargo test --locked -- --show-output

test-wasm: ## Run the tests of what has vectors as WebAssembly, in Node's V8
	@if ! command -v node >/dev/null; then
		echo "skipped: there is no node to run WebAssembly in"
		exit 0
	fi
	tools/rust $(TARGET)
	export CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings tools/wasi.mjs"
	cargo test --release --target $(TARGET) --locked $(REMAP) --lib -- crypto compact --show-output --skip montgomery
	cargo test --release --target $(TARGET) --locked $(REMAP) --test wycheproof -- --show-output

test-e2e: build ## Run the filter's tests in a real Envoy
	@python=$$(tools/python)
	tools/redis
	export PROMETHEUS=$$(tools/prometheus) ENVOY=$$(tools/envoy)
	"$$python" -m pytest tests/e2e -n $(WORKERS) -q -rs $(PYTEST)

test-matrix: build ## Run the core of these tests in every supported Envoy
	@python=$$(tools/python)
	tools/redis
	for version in $(MATRIX); do
		export ENVOY=$$(tools/envoy $$version)
		echo "Envoy $$version"
		"$$python" -m pytest tests/e2e -n $(WORKERS) -q -m matrix $(PYTEST)
	done

bench: build ## Measure what the filter costs beside Envoy's own (BENCH=--quick: a short look)
	@python=$$(tools/python)
	tools/wrk
	export ENVOY=$$(tools/envoy)
	PYTHONPATH=tools "$$python" -m bench $(BENCH)

bench-growth: ## Measure how the cost grows with providers, rules, keys, tokens, workers and bodies
	@$(MAKE) bench BENCH="--growth $(BENCH)"

dashboard: build ## Draw docs/dashboard.svg: the dashboard, from a real Envoy and a real Prometheus
	@python=$$(tools/python)
	export PROMETHEUS=$$(tools/prometheus) ENVOY=$$(tools/envoy)
	PYTHONPATH=tools:tests/e2e "$$python" -m dashboard

fuzz: ## Fuzz each target for FUZZ_SECONDS (600), with a nightly Rust; TARGETS="token json" picks some
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) tools/fuzz $(TARGETS)

fuzz-short: ## The same for 20 seconds each
	@$(MAKE) fuzz FUZZ_SECONDS=20

mutants: ## Change the decisions about tokens one by one and see the tests fail (MUTANTS="-F src/claims": some)
	@tools/mutants $(MUTANTS)

lint: ## Check format, lints and the house rules
	@tools/rust $(TARGET)
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --lib --target $(TARGET) --locked -- -D warnings
	tools/boundaries
	python=$$(tools/python)
	"$$python" -m ruff check --quiet .
	"$$python" -m ruff format --check --quiet .

clean: ## Remove everything that was built or fetched
	rm -rf target dist .work fuzz/target fuzz/corpus fuzz/artifacts
