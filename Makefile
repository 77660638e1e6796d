# `make test` is the one command: it installs what it needs and checks everything.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
MAKEFLAGS += --warn-undefined-variables
MAKEFLAGS += --no-builtin-rules
MAKEFLAGS += --no-print-directory

BIN := .tmp/bin
STAMP := .tmp/stamp
GENERATED := .tmp/generated
# Each folder with a go.mod, the root last: its results are what one looks for.
MODULES := $(filter-out .,$(patsubst %/,%,$(dir $(shell git ls-files '*/go.mod' 2>/dev/null)))) .
# Those whose tests need nothing but Go; the others have targets of their own.
UNIT := $(filter-out conformance conformance/connect authn/mutants,$(MODULES))
# How long fuzz-short runs each target.
FUZZTIME ?= 1s

# Tests look for buf and grpcurl in the PATH.
export PATH := $(abspath $(BIN)):$(PATH)
# One machine's workspace must not change what is built.
export GOWORK := off

.PHONY: help
help: ## Say what the targets do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*## "}; {printf "%-15s %s\n", $$1, $$2}'

.PHONY: test
test: deps checkgenerate lint breaking fuzz-short unit mutants-short python web conformance-short ## Set up what is needed and run every check and test

.PHONY: deps
deps: ## Install the Debian packages that are missing: a C compiler for -race, git, curl, Chromium
	@missing=(); \
	command -v "$$(go env CC)" >/dev/null || missing+=(gcc libc6-dev); \
	command -v git >/dev/null || missing+=(git); \
	command -v curl >/dev/null || missing+=(curl ca-certificates); \
	command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core); \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv); \
	if (( $${#missing[@]} )); then \
		sudo=; if (( EUID )); then sudo=sudo; fi; \
		$$sudo apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends "$${missing[@]}"; \
	fi

.PHONY: unit
unit: $(BIN)/buf $(BIN)/grpcurl ## Run the tests of every module with the race detector
	@go mod graph >/dev/null # the programs of the README are built offline, and need all of it
	@failed=0; for module in $(UNIT); do \
		echo "== go test -race $$module"; \
		(cd "$$module" && CGO_ENABLED=1 go test -race -timeout 20m ./...) || failed=1; \
	done; exit "$$failed"

.PHONY: mutants
mutants: ## Put the classic mistakes into authn, and see that its tests find each of them
	cd authn/mutants && go test -count=1 -timeout 20m .

.PHONY: mutants-short
mutants-short: ## The same with every third mistake
	@echo "== go test authn/mutants"; cd authn/mutants && go test -short -count=1 -timeout 20m .

.PHONY: bench
bench: ## Compare all ways to call tools, in about 15 minutes; results in bench/results
	@cd bench && go build -o ../.tmp/bench . && ../.tmp/bench -out results

.PHONY: bench-quick
bench-quick: ## Measure the ratios of bench/README.md, in less than a minute
	@cd bench && go build -o ../.tmp/bench . && ../.tmp/bench -quick -out ../.tmp/bench-quick

.PHONY: fuzz-short
fuzz-short: ## Run each fuzz target for FUZZTIME
	@.ci/fuzz $(FUZZTIME)

.PHONY: lint
lint: $(BIN)/buf $(BIN)/golangci-lint conformance-stubs ## Lint the Go code of every module, and the protos
	@for proto in proto proto_inherited; do \
		echo "== buf lint $$proto"; \
		buf lint "$$proto"; \
		buf format --diff --exit-code "$$proto"; \
	done
	@failed=0; for module in $(MODULES); do \
		echo "== go vet $$module"; \
		(cd "$$module" && go vet ./...) || failed=1; \
		echo "== golangci-lint $$module"; \
		(cd "$$module" && golangci-lint run --config $(abspath .golangci.yml)) || failed=1; \
	done; exit "$$failed"

.PHONY: breaking
breaking: $(BIN)/buf ## Check that the inherited part of mcp.v1 has not changed
	buf breaking proto --against proto_inherited

.PHONY: generate
generate: $(BIN)/buf $(BIN)/protoc-gen-go $(BIN)/protoc-gen-connect-go $(BIN)/protoc-gen-go-grpc ## Generate the code of all languages from the protos
	@rm -f interop/gen/mcpv1grpc/*.pb.go
	$(call generate,.)
	@.ci/npm web/client
	buf generate --template web/client/buf.gen.yaml
	$(MAKE) $(VENV)/.installed
	cd python && $(abspath $(VENV))/bin/python3 generate

.PHONY: checkgenerate
checkgenerate: $(BIN)/buf $(BIN)/protoc-gen-go $(BIN)/protoc-gen-connect-go $(BIN)/protoc-gen-go-grpc ## Check that `make generate` would change nothing
	@rm -rf $(GENERATED)
	$(call generate,$(GENERATED))
	@for dir in mcpconnectgen interop/gen interop/inherited/gen; do \
		diff -ru --exclude=alias.go "$$dir" "$(GENERATED)/$$dir" || { echo "run make generate"; exit 1; }; \
	done
	@.ci/npm web/client || { (( $$? == 3 )); exit; }; \
	buf generate --output $(GENERATED) --template web/client/buf.gen.yaml; \
	diff -ru web/client/src/gen "$(GENERATED)/web/client/src/gen" || { echo "run make generate"; exit 1; }

# Folders with a package-lock.json, each after those that it needs.
NPM := web/client examples/webapp/page

.PHONY: web
web: ## Check and test the TypeScript client and the web app, in Node and in Chromium
	@.ci/npm $(NPM) || { (( $$? == 3 )); exit; }; \
	$(make-venv) || { \
		echo "web: SKIPPED: the TypeScript client with Python's server, whose packages could not be installed: is the registry reachable?" >&2; \
		[[ -z $${CI:-} ]]; \
	}; \
	! grep -l '"resolved": "http' $(addsuffix /package-lock.json,$(NPM)); \
	(cd web/client && npm run --silent build && npm test --silent); \
	(cd examples/webapp/page && npx tsc --noEmit && npm test --silent)

# A virtual environment with the versions of python/constraints.txt.
VENV := .tmp/venv
# Under a name of its own, with which make -n runs nothing that stands beside it.
make-venv = $(MAKE) --silent $(VENV)/.installed
$(VENV)/.installed: python/pyproject.toml python/constraints.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c python/constraints.txt -e "./python[dev]"
	@touch $@

.PHONY: python
python: $(VENV)/.installed ## Check and test the Python package, and Go with it
	@echo "== python"; cd python && export PATH=$(abspath $(VENV))/bin:$$PATH && \
	./generate --check && ruff check && ruff format --check && mypy && python3 -m pytest -q

.PHONY: python-mutants
python-mutants: $(VENV)/.installed ## Put the classic mistakes into the Python package's authentication
	cd python && $(abspath $(VENV))/bin/python3 tests/auth_mutants.py

.PHONY: bench-python
bench-python: $(VENV)/.installed ## Compare the Python client with the SDK's Streamable HTTP
	cd python && $(abspath $(VENV))/bin/python3 bench/compare.py

.PHONY: conformance
conformance: conformance-connect ## Run the conformance suites of MCP and Connect, and write conformance/RESULTS.md
	@.ci/npm conformance
	cd conformance && go run . -out RESULTS.md

.PHONY: conformance-connect
conformance-connect: conformance-stubs ## Run the conformance suite of Connect, gRPC and gRPC-Web, as a server and as a client
	cd conformance/connect && CGO_ENABLED=1 go test -race -count=1 ./...

# The suite's protos are in its module. What is made of them is not committed.
.PHONY: conformance-stubs
conformance-stubs: $(BIN)/buf $(BIN)/protoc-gen-go $(BIN)/protoc-gen-connect-go
	@cd conformance/connect && go mod download connectrpc.com/conformance && rm -rf gen && \
	buf generate "$$(go list -m -f '{{.Dir}}' connectrpc.com/conformance)/proto"

.PHONY: conformance-short
conformance-short: conformance-connect ## Check conformance/RESULTS.md, and test with servers and clients of others
	@.ci/npm conformance || { (( $$? == 3 )); exit; }; \
	cd conformance && CGO_ENABLED=1 go test -race ./...

.PHONY: soak
soak: ## Use a gateway for 10,000 sessions and 100,000 calls, and look at its memory
	SOAK=1 go test -count=1 -timeout 30m -run TestMemoryStaysFlat ./gateway

.PHONY: web-build
web-build: ## Build the page of examples/webapp, whose output is committed
	@.ci/npm $(NPM)
	cd web/client && npm run --silent build
	cd examples/webapp/page && npm run --silent build

.PHONY: clean
clean: ## Remove what was built here, the tools too
	rm -rf .tmp

# generate writes all generated code below the folder $(1).
define generate
buf generate --output $(1)
buf generate --output $(1) --template interop/buf.gen.yaml
buf generate --output $(1) --template interop/inherited/buf.gen.yaml
gofmt -w $(1)/mcpconnectgen $(1)/interop/gen $(1)/interop/inherited/gen
endef

# tool builds the command $(1) from the package $(2) at the version $(3). The stamp's name has
# the version in it, so that a tool is built anew only when its version changes.
define tool
$(if $(wildcard $(BIN)/$(1)),,.PHONY: $(STAMP)/$(1)@$(3))
$(BIN)/$(1): $(STAMP)/$(1)@$(3)
$(STAMP)/$(1)@$(3):
	@mkdir -p $$(@D)
	GOBIN=$(abspath $(BIN)) go install $(2)@$(3)
	@rm -f $(STAMP)/$(1)@* && touch $$@
endef
$(eval $(call tool,buf,github.com/bufbuild/buf/cmd/buf,v1.59.0))
$(eval $(call tool,golangci-lint,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,v2.15.0))
$(eval $(call tool,grpcurl,github.com/fullstorydev/grpcurl/cmd/grpcurl,v1.9.4))
$(eval $(call tool,protoc-gen-connect-go,connectrpc.com/connect/cmd/protoc-gen-connect-go,v1.21.1))
# The version of google.golang.org/protobuf in go.mod, whose runtime the code needs.
$(eval $(call tool,protoc-gen-go,google.golang.org/protobuf/cmd/protoc-gen-go,v1.36.12))
$(eval $(call tool,protoc-gen-go-grpc,google.golang.org/grpc/cmd/protoc-gen-go-grpc,v1.6.2))
