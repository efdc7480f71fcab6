# SPDX-License-Identifier: GPL-2.0
#
# The one entry point for people.  Everything is done by the scripts in dev/;
# everything that is made goes to $(BUILD).

KERNEL  ?= 6.12
BUILD   ?= build
FLAVOUR ?= plain
KERNELS ?= plain debug
T       ?=
SHORT   ?=
CMD     ?=
ifeq ($(DEBUG),1)
FLAVOUR := debug
KERNELS := debug
endif

export KERNEL BUILD FLAVOUR KERNELS T SHORT CMD

.DEFAULT_GOAL := help
.PHONY: help deps kernel tools guest demo check lint bench shell size-check clean

# Every command does its own set-up, on a fresh machine too.
kernel tools guest demo check lint bench shell size-check: deps

help:		## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1	\2/p' Makefile | expand -t 22
	@echo
	@echo "  KERNEL=$(KERNEL)  FLAVOUR=plain|debug (DEBUG=1)  KERNELS='plain debug'"
	@echo "  BUILD=$(BUILD)  T=pattern (check)  CMD='command' (guest)"

deps:		## install the packages that are needed (or say which)
	@dev/deps

kernel:		## build the guest kernel from the source package (FLAVOUR=debug)
	@dev/kernel-build $(FLAVOUR)

tools:		## build checkpoint, restart and ckptinfo
	@dev/tools-build

guest:		## boot once and run CMD (default: a smoke test)
	@dev/guest-run

shell:		## boot an interactive guest on this terminal
	@dev/guest-run --shell

check:		## run every test, in both kernels (less: T=pattern, SHORT=1)
	@dev/check

lint:		## checkpatch, W=1, sparse, kernel-doc, shellcheck, codespell
	@dev/lint

demo:		## watch unmodified programs survive a reboot
	@dev/demo

bench:		## instruction counts beside CRIU: table and bench.json
	@dev/bench

size-check:	## prove that CONFIG_CHECKPOINT=n changes nothing
	@dev/size-check

clean:		## remove everything that was made
	rm -rf "$(BUILD)"
