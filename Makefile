# jwt-warden: every command that builds, shows or checks it. Needs cargo with rustup, python3 and the network.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

# What builds the module stands in Cargo.toml, .cargo/config.toml and here. Flags from outside would replace those there, and
# with them the vectors.
unexport RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS
unexport $(filter CARGO_PROFILE_RELEASE_% CARGO_TARGET_WASM32_WASIP1_%,$(.VARIABLES))

TARGET := wasm32-wasip1
BUILT := $(or $(CARGO_TARGET_DIR),target)/$(TARGET)/release/jwt_warden.wasm
ARTIFACT := dist/jwt_warden.wasm
PROGRAM := dist/jwt-warden
# Panics name their file. Without the builder's own folder in it, nor the name of the registry or of its mirror, every builder
# gets the same bytes.
REGISTRIES = $(wildcard $(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src/*)
REMAP = --config "target.$(TARGET).rustflags = [$(foreach folder,$(REGISTRIES),'--remap-path-prefix=$(folder)=crates',)]"
# LLVM copies short functions into their callers; at its own limits, 275 and for what is marked #[inline] 325, the module is
# an eighth larger and no faster. Crates are compiled with their own limits: these hold where all are linked. What would be
# slower, the kernel of RSA, is marked #[inline(always)].
SMALL := -C llvm-args=-inline-threshold=60 -C llvm-args=-inlinehint-threshold=120
# Loads and stores have room for an offset. LLVM would rather count pointers up, and then compute each address: seven
# hundredths more time for a signature of RSA in the module, and kilobytes.
OFFSETS := -C llvm-args=-disable-lsr
BUILD = cargo rustc --release --package jwt-warden --target $(TARGET) --locked --lib --crate-type cdylib $(REMAP)
# From the oldest to the newest, which tools/envoy takes unless told otherwise.
MATRIX := 1.36.4 1.37.0 1.39.3 1.40.0
# Which of the end-to-end tests run, in pytest's markers.
SUITE := not load
# More than there are cores: many tests wait.
WORKERS := 3

.PHONY: help fetch build compiled reproduce image program release audit run test test-unit test-wasm test-e2e test-oldest test-matrix bench bench-growth soak soak-short dashboard fuzz fuzz-short mutants lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# REMAP looks for the folders of what this fetches.
fetch:
	@tools/rust $(TARGET)
	cargo fetch --quiet --locked --target $(TARGET)

build: fetch ## Build dist/jwt_warden.wasm
	@$(BUILD) -- $(SMALL) $(OFFSETS)
	python3 tools/sbom embed $(BUILT) $(ARTIFACT)
	echo "$(ARTIFACT): $$(wc -c < $(ARTIFACT)) bytes; for vm_config.code.remote in Envoy, and beside an https:// URL in Istio:"
	echo "sha256: \"$$(sha256sum < $(ARTIFACT) | cut -d ' ' -f 1)\""

# What cargo compiled into the module, for the test of its bill of materials: nothing is compiled again.
compiled: fetch
	@$(BUILD) --message-format json -- $(SMALL) $(OFFSETS)

reproduce: ## Build the latest commit twice, in different folders, and compare: takes minutes
	@tools/reproduce

image: build ## Make an OCI image of the module in dist/image, for oci://
	@python3 tools/image $(ARTIFACT) dist/image

program: ## Build dist/jwt-warden, the operator's program, with its completions and manual pages
	@tools/rust
	cargo build --release --locked --package jwt-warden-cli
	install -D -m 755 $(or $(CARGO_TARGET_DIR),target)/release/jwt-warden $(PROGRAM)
	mkdir -p dist/completions
	$(PROGRAM) completions bash > dist/completions/jwt-warden.bash
	$(PROGRAM) completions zsh > dist/completions/_jwt-warden
	$(PROGRAM) completions fish > dist/completions/jwt-warden.fish
	$(PROGRAM) man --out dist/man

release: ## Check the versions, and build all that is released into dist/release, with checksums and notes
	@python3 tools/release check
	$(MAKE) image program
	python3 tools/release assemble

audit: ## Hold the dependencies to deny.toml: licences, advisories, duplicates, sources
	@tools/rust
	tools/audit

run: build ## Show the filter at work in a real Envoy, until Ctrl-C
	@python=$$(tools/python)
	export ENVOY=$$(tools/envoy) JWT_WARDEN=$$(tools/program)
	exec "$$python" envoy/demo.py

test: ## Run every test: the end-to-end ones in the newest Envoy, the core of them in the oldest too
	@$(MAKE) test-unit
	$(MAKE) test-wasm
	$(MAKE) test-e2e
	$(MAKE) test-oldest

test-unit: ## Run the tests that need no proxy
	@tools/rust
	cargo test --locked -- --show-output
	# By itself: together, the filter would be tested with what the program has its crates do besides.
	cargo test --locked --package jwt-warden-cli -- --show-output

test-wasm: fetch ## Run the tests of what has vectors as WebAssembly, in Node's V8
	@if ! command -v node >/dev/null; then
		echo "skipped: there is no node to run WebAssembly in"
		exit 0
	fi
	export CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings tools/wasi.mjs"
	cargo test --profile wasm-test --target $(TARGET) --locked --lib -- crypto compact --show-output --skip montgomery
	cargo test --profile wasm-test --target $(TARGET) --locked --test wycheproof -- --show-output

test-e2e: build ## Run the filter's tests in a real Envoy
	@python=$$(tools/python)
	tools/redis
	prometheus=$$(tools/prometheus)
	envoy=$$(tools/envoy)
	program=$$(tools/program tested)
	export PROMETHEUS=$$prometheus ENVOY=$$envoy JWT_WARDEN=$$program
	"$$ENVOY" --version | awk -F / '/version:/ { print "Envoy " $$(NF - 3) }'
	"$$python" -m pytest tests/e2e -n $(WORKERS) -q -rfEs -m "$(SUITE)" $(PYTEST)

test-oldest: ## Run the core of these tests in the oldest supported Envoy
	@envoy=$$(tools/envoy $(firstword $(MATRIX)))
	$(MAKE) test-e2e SUITE=matrix ENVOY="$$envoy"

test-matrix: ## Run them all in every supported Envoy: takes half an hour
	@failed=
	for version in $(MATRIX); do
		{ envoy=$$(tools/envoy "$$version") && $(MAKE) test-e2e ENVOY="$$envoy"; } || failed="$$failed $$version"
	done
	if [ -n "$$failed" ]; then echo "tests failed in Envoy$$failed"; exit 1; fi

bench: build ## Measure what the filter costs beside Envoy's own (BENCH=--quick: a short look; --settings: settings alone)
	@python=$$(tools/python)
	tools/wrk
	export ENVOY=$$(tools/envoy)
	PYTHONPATH=tools "$$python" -m bench $(BENCH)

bench-growth: ## Measure how the cost grows with providers, rules, keys, tokens, workers and bodies
	@$(MAKE) bench BENCH="--growth $(BENCH)"

soak: build ## Hold every answer for SOAK seconds (3600) at full load, while everything around the filter fails
	@python=$$(tools/python)
	export ENVOY=$$(tools/envoy)
	PYTHONPATH=tools:tests/e2e "$$python" -m soak --seconds $(or $(SOAK),3600) $(SOAK_OPTIONS)

soak-short: build ## The same for five minutes, kept in .work, and see that it finds a fault: for a CI with time
	@python=$$(tools/python)
	export ENVOY=$$(tools/envoy)
	"$$python" -m pytest tests/e2e -q -m load
	$(MAKE) soak SOAK=300 SOAK_OPTIONS="--results .work/soak/short"

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
	cargo fmt --all --check
	cargo fmt --check --manifest-path bench/empty/Cargo.toml
	cargo fmt --check --manifest-path bench/calls/Cargo.toml
	cargo clippy --manifest-path bench/calls/Cargo.toml --target-dir target/bench --target $(TARGET) --locked -- -D warnings -D clippy::undocumented_unsafe_blocks
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --lib --target $(TARGET) --locked -- -D warnings
	# With its tests: test-wasm runs them there.
	cargo clippy --lib --profile test --target $(TARGET) --locked -- -D warnings
	tools/boundaries
	python=$$(tools/python)
	"$$python" -m ruff check --quiet .
	"$$python" -m ruff format --check --quiet .

clean: ## Remove everything that was built or fetched
	rm -rf target dist .work fuzz/target fuzz/corpus fuzz/artifacts
