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
.PHONY: help build demo test kill-test test-matrix fuzz fuzz-events lint fmt

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

test-matrix: ## the integration tests on the oldest and the newest PostgreSQL supported
	ARCHER_PG=15 cargo test --package tests --locked
	ARCHER_PG=18 cargo test --package tests --locked

# cargo-fuzz asks the compiler for what only nightly admits to; the stable one has it, too.
fuzz: ## every parser on input that a fuzzer makes up; SECONDS=300 each; TARGET=purl for one of them
	PATH="$(TOOLS)/bin:$$PATH" cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --version "^$(FUZZ)" --locked --root "$(TOOLS)"
	for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/found/$$target; \
		PATH="$(TOOLS)/bin:$$PATH" RUSTC_BOOTSTRAP=1 nice cargo fuzz run --sanitizer none $$target \
			fuzz/found/$$target fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -max_len=4096 || exit 1; \
	done

fuzz-events: ## every source of events on input that a fuzzer makes up; SECONDS=300 each; TARGET=gitlab for one
	PATH="$(TOOLS)/bin:$$PATH" cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --version "^0.13" --locked --root "$(TOOLS)"
	cd events/fuzz && for target in $(if $(filter command,$(firstword $(origin TARGET))),$(TARGET),$(basename $(notdir $(wildcard events/fuzz/fuzz_targets/*.rs)))); do \
		mkdir -p found/$$target; \
		PATH="$(TOOLS)/bin:$$PATH" RUSTC_BOOTSTRAP=1 nice cargo fuzz run --fuzz-dir . --sanitizer none $$target \
			found/$$target corpus/$$target -- -max_total_time=$(or $(SECONDS),300) -max_len=4096 || exit 1; \
	done

lint: ## format, clippy, docs, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	PATH="$(TOOLS)/bin:$$PATH" cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --version "^$(DENY)" --locked --root "$(TOOLS)"
	cargo fetch --locked --quiet
	PATH="$(TOOLS)/bin:$$PATH" cargo deny --offline check bans licenses sources

fmt: ## formats the code
	cargo fmt --all
