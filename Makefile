# `make help` lists what can be done here.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export CARGO_TARGET_DIR := $(CURDIR)/target
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

# What the Rust tests are built with; with `site` their program is the one that the browser tests use.
FEATURES ?= ssr

.PHONY: help setup setup-test site build release-lib run dev test test-rust test-e2e soak fuzz package try-package bench bench-web measure screenshots lint fmt clean lighthouse measure-images scan

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: ## install what building needs, where it is missing
	@.ci/setup.sh build

setup-test: setup ## install what testing needs, where it is missing
	@.ci/setup.sh test

site: setup ## build what browsers get: target/site
	@node style/build.mjs

# The library does not know the files for browsers, and their last steps keep one core busy for minutes: it takes the other.
build: setup ## build the release: target/release/vestnik, with the files for browsers in it
	@$(MAKE) --no-print-directory -j2 site release-lib
	@cargo build --release --features site

release-lib:
	@cargo build --release --features site --lib

run: build ## build and serve
	@exec target/release/vestnik serve

dev: setup ## serve a debug build; rebuild and reload the page on every change
	@exec node style/dev.mjs

test: FEATURES = site
test: setup-test site test-rust test-e2e ## run all tests

test-rust: setup-test ## run the Rust tests, on SQLite and on a PostgreSQL server of their own
	@.ci/postgres.sh cargo test --workspace --features $(FEATURES) --no-fail-fast

# Not the release, whose dependencies alone take minutes to compile: the code of both is the same, and what browsers get is the
# release's. The same words as above, so that nothing is compiled again: dependencies of tests alone change features of others.
test-e2e: setup-test site ## run the browser tests, with the program as the Rust tests build it
	@cargo test --workspace --features site --no-run
	@cd end2end && npx playwright test

screenshots: setup-test build ## take a picture of every page (target/screenshots); renew those of the documentation
	@cd end2end && VESTNIK_BIN=../target/release/vestnik npx playwright test -c pictures.config.ts

measure-images: setup-test build ## print what pictures that are bombs or disguises are answered with, and what memory they cost
	@cd end2end && VESTNIK_BIN=../target/release/vestnik npx playwright test -c measure.config.ts

lighthouse: setup-test build ## judge the public pages by Lighthouse
	@.ci/setup.sh lighthouse
	@cd end2end && VESTNIK_BIN=../target/release/vestnik npx playwright test -c lighthouse.config.ts

package: build ## pack the release: a .deb, a tar and checksums in target/package
	@.ci/package.sh

try-package: package ## install the .deb in a fresh Debian in a folder (as root, with debootstrap)
	@.ci/try-package.sh

soak: setup-test ## kill it hundreds of times, fill its disk, lock its database (forty minutes)
	@.ci/fuzz.sh 60
	@.ci/postgres.sh cargo test --features ssr --test process -- --ignored --nocapture --test-threads 1
	@.ci/postgres.sh cargo test --features ssr --lib soak_ -- --ignored --nocapture --test-threads 1

fuzz: setup ## feed templates, Markdown, HTML and client files to libFuzzer, a minute each (needs a C++ compiler)
	@.ci/fuzz.sh $(SECONDS)

bench: setup-test build ## measure sending beside Postfix's smtp-source
	@.ci/postgres.sh --durable .ci/bench.sh

bench-web: setup-test build ## measure home page and posts beside nginx, with wrk (both from Debian)
	@.ci/postgres.sh .ci/bench-web.sh

measure: setup-test ## print what a log-in tells of an address, what a hundred at once cost, and what memory falls back afterwards
	@cargo test --features ssr --lib what_a_log_in_tells_and_costs -- --ignored --nocapture
	@cargo test --features ssr --lib what_was_needed_once_falls_back -- --ignored --nocapture

lint: setup ## check formatting, clippy on both targets, shell scripts
	@.ci/lint.sh

fmt: ## format the Rust code
	@cargo fmt --all

scan: setup-test build ## have wapiti and sqlmap (both from Debian) look for holes in the release
	@.ci/scan.sh

clean: ## remove everything that was built
	@rm -rf target end2end/test-results {style,end2end,end2end/lighthouse}/node_modules
