# Everything a newcomer types. Needs Rust, a C compiler, make and npm; servers come by themselves.

TARGET := $(or $(CARGO_TARGET_DIR),target)
TOOLS  := $(or $(ARCHER_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/archer)/tools
DENY   := 0.20
FUZZ   := 0.13
# Of make fuzz: how long each target runs, and which; all of them unless TARGET is given.
SECONDS      ?= 300
FUZZ_TARGETS := $(if $(filter command,$(firstword $(origin TARGET))),$(TARGET),$(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs))))

# Real data that some tests read; without it they say that they were skipped.
ARCHER_CORPUS ?= $(abspath $(wildcard ../shared/data))
export ARCHER_CORPUS

# Of make kill-test: how often something is killed.
ROUNDS ?= 10

.DEFAULT_GOAL := help
.PHONY: help build demo test kill-test outage-test test-matrix fuzz fuzz-lock lint fmt

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## builds every program
	cargo build --workspace --bins --locked

demo: build ## the whole path on this machine's own data; ARGS="--osv FOLDER_OR_ZIP" adds advisories
	$(TARGET)/debug/archer demo $(ARGS)

test: ## every test, on servers of their own
	cargo test --workspace --locked

kill-test: ## the event writer and ClickHouse, killed at random ROUNDS times (10); SEED=N repeats a run
	ROUNDS=$(ROUNDS) SEED=$(SEED) cargo test --package tests --locked --test it -- --nocapture events_kill

outage-test: ## the event writer under load while ClickHouse is away for OUTAGE seconds (60)
	OUTAGE=$(or $(OUTAGE),60) cargo test --package tests --locked --test it -- --nocapture events_outage

test-matrix: ## the integration tests on the oldest and the newest PostgreSQL supported
	ARCHER_PG=15 cargo test --package tests --locked
	ARCHER_PG=18 cargo test --package tests --locked

# cargo-fuzz asks the compiler for what only nightly admits to; the stable one has it, too. What it builds is of no use to
# another build, so it has a folder of its own.
fuzz: ## every parser on input that a fuzzer makes up; SECONDS=300 each; TARGET=purl for one of them
	PATH="$(TOOLS)/bin:$$PATH" cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --version "^$(FUZZ)" --locked --root "$(TOOLS)"
	cargo update --workspace --locked --quiet --manifest-path fuzz/Cargo.toml || { echo "make fuzz-lock brings it in step"; exit 1; }
	for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/found/$$target; \
		PATH="$(TOOLS)/bin:$$PATH" RUSTC_BOOTSTRAP=1 nice -n 19 cargo fuzz run --sanitizer none --target-dir fuzz/target $$target \
			fuzz/found/$$target fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -dict=fuzz/dictionaries/$$target.dict \
			-max_len=65536 -timeout=10 -rss_limit_mb=2048 || exit 1; \
	done

fuzz-lock: ## brings the versions that make fuzz builds in step with the workspace's
	cp Cargo.lock fuzz/Cargo.lock
	cargo update --workspace --quiet --manifest-path fuzz/Cargo.toml


lint: ## format, clippy, docs, dependencies
	cargo fmt --all --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	PATH="$(TOOLS)/bin:$$PATH" cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --version "^$(DENY)" --locked --root "$(TOOLS)"
	cargo fetch --locked --quiet
	cargo update --workspace --locked --quiet --manifest-path fuzz/Cargo.toml
	PATH="$(TOOLS)/bin:$$PATH" cargo deny --offline check bans licenses sources

fmt: ## formats the code
	cargo fmt --all
