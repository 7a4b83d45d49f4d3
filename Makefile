# make demo    a real WordPress, damaged and restored, before your eyes
# make demo-panel    the panel on a small world of its own, until Ctrl+C
# make test    every test: Rust, C, PHP, bats, a whole machine
# make fuzz    every fuzz target, FUZZ_SECONDS each (600)
# make miri    undefined behaviour, looked for by interpreting (nightly toolchain with miri)
# make lint    formatting, clippy, shellcheck, cargo-deny
# make reliability   every fault at every point; writes tests/RELIABILITY.md
# make screens  every screen of the menus as text, into docs/screens
# make panel-screens  every screen of the panel as a picture, into docs/panel
# make bench   the figures, against tar, mariadb and myloader
# make build   library and helper, in release
# make header  include/rocketvps_restore.h, from the Rust sources
# make schema  docs/api.schema.json and the tables of docs/api.md, from the Rust types
# make man     docs/man/rocketvps-restore.1, from the tables of commands and options
# make deb     Debian packages of it all, into target/deb
# make field   real Debian machines: packages, restores, power cuts
# make servers the tests of each server on MariaDB 10.5, 10.11, 11.8, MySQL 9.7, Redis 8, Valkey 8, Memcached 1.6.38 and nginx 1.26
# make install [PREFIX=/usr/local] [LIBDIR=…/lib] [ZSHDIR=…/share/zsh/site-functions] [MODULES=/opt/rocketvps/modules] [CONFIG=/opt/rocketvps/config] [DESTDIR=…]
# make uninstall     the same, away again; restore.toml stays
CARGO ?= cargo
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
MODULES ?= /opt/rocketvps/modules
CONFIG ?= /opt/rocketvps/config
PROFILE ?= release
TARGET := $(or $(CARGO_TARGET_DIR),target)
BUILT := $(TARGET)/$(PROFILE)
INSTALLER = PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' UNITDIR='$(UNITDIR)' ZSHDIR='$(ZSHDIR)' DESTDIR='$(DESTDIR)' MODULES='$(MODULES)' CONFIG='$(CONFIG)' BUILT='$(BUILT)' scripts/install.sh

.PHONY: all build deps demo demo-panel panel-screens test fuzz miri lint bench header schema man deb field servers install uninstall clean reliability screens

all: build

build:
	$(CARGO) build --release --locked

deps:
	scripts/install-deps.sh

demo: deps build
	scripts/demo.sh

demo-panel: deps build
	scripts/demo-panel.sh

test: deps
	scripts/test.sh

fuzz: deps
	scripts/fuzz.sh

miri:
	scripts/miri.sh

lint: deps
	scripts/lint.sh

bench: deps build
	scripts/install-deps.sh --bench
	scripts/bench.sh

reliability: deps
	scripts/reliability.sh

screens: deps
	$(CARGO) build --locked
	scripts/screens.sh docs/screens

panel-screens: deps
	$(CARGO) build --locked
	tests/panel/run.sh --shots docs/panel

header:
	RV_WRITE_HEADER=1 $(CARGO) test --locked --test all abi::the_committed_header

# What serves the schema has it built in: the second run sees what the first one wrote.
schema:
	RV_WRITE_SCHEMA=1 $(CARGO) test --locked --test all -- schema::the_committed schema::the_tables_of
	$(CARGO) test --locked --test all schema::

deb: deps
	scripts/install-deps.sh --deb
	scripts/deb.sh

field: deps
	scripts/install-deps.sh --deb
	scripts/field.sh

servers: deps
	scripts/servers.sh test

man:
	RV_WRITE_MAN=1 $(CARGO) test --locked --test all docs::the_committed_man_page

install:
	@$(INSTALLER) install

uninstall:
	@$(INSTALLER) uninstall

clean:
	$(CARGO) clean
