# make demo    a real WordPress, damaged and restored, before your eyes
# make test    every test: Rust, C, PHP, bats
# make fuzz    every fuzz target, FUZZ_SECONDS each (600)
# make lint    formatting, clippy, shellcheck, cargo-deny
# make reliability   every fault at every point; writes tests/RELIABILITY.md
# make bench   the figures, against tar, mariadb and myloader
# make build   library and helper, in release
# make header  include/rocketvps_restore.h, from the Rust sources
# make install PREFIX=/usr/local [DESTDIR=…]
CARGO ?= cargo
PREFIX ?= /usr/local
PROFILE ?= release
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
TARGET := $(or $(CARGO_TARGET_DIR),target)
BUILT := $(TARGET)/$(PROFILE)
ROOT := $(DESTDIR)$(PREFIX)

.PHONY: all build deps demo test fuzz lint bench header install clean reliability

all: build

build:
	$(CARGO) build --release --locked

deps:
	scripts/install-deps.sh

demo: deps build
	scripts/demo.sh

test: deps
	scripts/test.sh

fuzz: deps
	scripts/fuzz.sh

lint: deps
	scripts/lint.sh

bench: deps build
	scripts/install-deps.sh --bench
	scripts/bench.sh

reliability: deps
	scripts/reliability.sh

header:
	RV_WRITE_HEADER=1 $(CARGO) test --locked --test abi header

install:
	install -d $(ROOT)/bin $(ROOT)/lib/pkgconfig $(ROOT)/include
	install -m 0755 $(BUILT)/rocketvps-restore $(ROOT)/bin/
	install -m 0644 $(BUILT)/librocketvps_restore.so $(ROOT)/lib/librocketvps_restore.so.1
	ln -sf librocketvps_restore.so.1 $(ROOT)/lib/librocketvps_restore.so
	install -m 0644 include/rocketvps_restore.h $(ROOT)/include/
	sed -e 's|@PREFIX@|$(abspath $(PREFIX))|' -e 's|@VERSION@|$(VERSION)|' bindings/c/rocketvps-restore.pc.in \
		> $(ROOT)/lib/pkgconfig/rocketvps-restore.pc
	install -d $(ROOT)/lib/systemd/system
	sed -e 's|@PREFIX@|$(abspath $(PREFIX))|' scripts/rocketvps-restore-recover.service.in \
		> $(ROOT)/lib/systemd/system/rocketvps-restore-recover.service

clean:
	$(CARGO) clean
