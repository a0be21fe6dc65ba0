# What there is to do here. Every target installs and builds first what it needs, and says so.

STACK ?= default
VALUE ?= 42
TYPE  ?= uint64
XTASK  = target/debug/xtask
# Wherever else somebody has cargo build: what was built is looked for here.
export CARGO_TARGET_DIR = $(CURDIR)/target
# With the Rust that set-up chose.
CARGO  = . scripts/toolchain.sh && cargo
SHELL  = bash

# What is fuzzed, and for how long.
TARGET  ?= all
SECONDS ?= 60

# Steps and seed of a campaign.
STEPS ?= 100000
SEED  ?= 1

.PHONY: help demo build up down status clean test client gas gas-growth load campaign-contract fuzz

help: ## say this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

demo: build ## encrypt a value, have it decrypted, check everything (VALUE=123456789 TYPE=uint64)
	@$(XTASK) demo --value '$(VALUE)' --type '$(TYPE)'

build: ## build the node, the contract and the programs
	@scripts/build.sh

up: build ## start a stack and leave it running (STACK=name for another one)
	@$(XTASK) up $(STACK)

down: $(XTASK) ## stop it
	@$(XTASK) down $(STACK)

status: $(XTASK) ## say what of it runs, and where
	@$(XTASK) status $(STACK)

clean: $(XTASK) ## stop it, and forget its chain and keys
	@$(XTASK) clean $(STACK)

# An interrupted build must not take the program with it.
.PRECIOUS: $(XTASK)
$(XTASK):
	@scripts/build.sh

test: ## formatting, lints and all tests
	@scripts/test.sh

client: ## write the JSON schemas and the TypeScript client anew, after a change of messages or queries
	@scripts/setup.sh --with-node
	@scripts/build-client.sh --generate

gas: build ## measure what every message costs, and write docs/measurements/gas.*
	@$(CARGO) test --workspace --locked --test gas -- --write

gas-growth: build ## measure whether cost grows with what is stored (100,000 requests: 5 to 15 minutes)
	@$(CARGO) test --workspace --locked --test gas_growth -- --write

load: ## measure what a core does under load over TLS, with proofs, and write docs/measurements/load.*
	@$(CARGO) build --workspace --locked --bins
	@target/debug/kms-load

campaign-contract: ## compare the contract with its model on STEPS random steps of SEED (CASE=n: one case of it again)
	@scripts/setup.sh
	@export STEPS='$(STEPS)' SEED='$(SEED)' $(if $(CASE),CASE='$(CASE)') && \
		$(CARGO) test --workspace --locked --test model -- --ignored --exact campaign --nocapture

fuzz: ## fuzz the core with coverage (TARGET=ciphertext|input|proof|grpc|vault|all, SECONDS=n for each)
	@scripts/fuzz.sh '$(TARGET)' '$(SECONDS)'
