# SPDX-License-Identifier: GPL-2.0 OR Linux-OpenIB
#
# The targets of the tree: "make help" lists them. The modules themselves are described in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
VM := $(CURDIR)/tools/testing/vm
BUILD := $(CURDIR)/build
HCA := tools/testing/hca
# The modules for users; the servers exist for a comparison only.
INSTALLED := drivers/infiniband/vrb drivers/infiniband/hw/tavor

# Chosen on the command line for these targets, not for whatever make runs below.
unexport TESTS KERNEL BUILD BENCH
MAKEOVERRIDES =

.PHONY: modules modules_install clean help demo check check-all audit list-tests ci bench hca setup format shell \
	docs tags userspace compile_commands.json deb

modules modules_install clean-modules:
	@[ -e "$(KDIR)/Makefile" ] || { \
		echo "no kernel headers in $(KDIR)"; \
		echo "install them (apt-get install linux-headers-\$$(uname -r)), or say KDIR=/path/to/headers"; \
		exit 1; }
	$(if $(filter modules_install,$@),MODULE_DIRS="$(or $(MODULE_DIRS),$(INSTALLED))" \
		$(MAKE) -C "$(KDIR)" M="$(CURDIR)" modules)
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" $(subst clean-modules,clean,$@)

help:
	@echo 'ib_vrb and ib_tavor, out of tree'
	@echo
	@echo '  make                 the modules, for the running kernel or KDIR=<headers>'
	@echo '  make modules_install install ib_vrb and ib_tavor, or the modules in MODULE_DIRS="FOLDER..."'
	@echo '  make demo            boot a guest with the HCA model, load the driver and run RDMA programs'
	@echo '  make check           the tests that take a few minutes; TESTS="vrb/* tavor/reload" for some'
	@echo '  make check-all       also the long tests, and each guest test on both kernels'
	@echo '  make audit           ten million random requests must complete once each: half an hour or more'
	@echo '  make check-mutation  deliberate mistakes in the engine: finds those that no rule test notices'
	@echo '  make bench           compare ib_mthca and ib_tavor: build/bench/report.html; BENCH=quick for the part'
	@echo '                       that takes ten minutes, BENCH="NAME..." for some scenarios'
	@echo '  make list-tests      each test: its level, its purpose, and the command that runs it alone'
	@echo '  make ci              everything that a change has to pass: make check, static checks, longer tests'
	@echo '  make hca             the HCA model, build/hca/tavor-hca'
	@echo '  make userspace       libvrbq, its examples and vrbstat: build/userspace/'
	@echo '  make setup           fill the cache of the test bench (the others do it when needed)'
	@echo '  make shell           an interactive guest with the model and the driver'
	@echo '  make format          clang-format over the user-space C'
	@echo '  make docs            the documents: build/doc/html/index.html and build/doc/man/'
	@echo '  make deb             Debian packages of the modules and the model: build/deb/'
	@echo '  make tags            an index of the C symbols for editors (package universal-ctags)'
	@echo '  make compile_commands.json'
	@echo '                       the compiler command of each file, for clangd; after make or vm/kbuild'
	@echo '  make clean           remove build/, tags, compile_commands.json and the output of Kbuild in the tree'
	@echo
	@echo 'demo, shell, audit, bench and check take KERNEL=6.12 (default), KERNEL=7, or another that vm/run --help names.'
	@echo 'make alone, userspace, docs, tags, compile_commands.json and clean need no root and install no package:'
	@echo 'they name the package that is missing. modules_install needs root. The others need root on Debian 12 or 13,'
	@echo 'and install what they need.'

demo:
	@$(VM)/demo $(KERNEL)

check:
	@set -f; $(VM)/check $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

check-all:
	@set -f; $(VM)/check --all $(if $(KERNEL),--kernel $(KERNEL)) $(TESTS)

audit:
	@$(VM)/run $(if $(KERNEL),--kernel $(KERNEL)) --timeout 14400 --driver none --hcas 0 \
		--modules "ib_vrb vrb_mock" -- tools/testing/selftests/vrb/audit.sh 2000000 1 2 3 4 5

# Neither in check nor in ci. TESTS="NAME..." for some, RESUME=1 to continue an interrupted run.
check-mutation:
	@set -f; KERNEL=$(KERNEL) tools/testing/mutation/run $(if $(RESUME),--resume) $(TESTS)

list-tests:
	@set -f; $(VM)/check --all --list

ci:
	@.ci/run

bench:
	@tools/testing/bench/run $(if $(KERNEL),--kernel $(KERNEL)) $(BENCH)

hca:
	@mkdir -p $(BUILD)/hca
	@$(MAKE) -C $(HCA) OUTPUT=$(BUILD)/hca

userspace:
	@echo '#include <infiniband/verbs.h>' | $(CC) -E - >/dev/null 2>&1 || \
		{ echo "no headers of libibverbs: apt-get install libibverbs-dev"; exit 1; }
	@echo '#include <cjson/cJSON.h>' | $(CC) -E - >/dev/null 2>&1 || \
		{ echo "no headers of cJSON: apt-get install libcjson-dev"; exit 1; }
	@$(MAKE) --no-print-directory -C userspace OUTPUT=$(BUILD)/userspace

setup:
	@$(VM)/setup

shell:
	@$(VM)/run $(if $(KERNEL),--kernel $(KERNEL)) --driver tavor --sm --shell

format:
	@tools/testing/static/format.sh --fix

docs:
	@$(MAKE) --no-print-directory -C Documentation html man OUTPUT=$(BUILD)/doc
	@echo "$(BUILD)/doc/html/index.html; man -l $(BUILD)/doc/man/..."

deb:
	@tools/packaging/deb

tags:
	@command -v ctags >/dev/null || { echo "no ctags: apt-get install universal-ctags"; exit 1; }
	@find drivers include tools userspace -name '*.[ch]' | sort | ctags -L - -f $@

compile_commands.json:
	@command -v python3 >/dev/null || { echo "no python3: apt-get install python3"; exit 1; }
	@$(VM)/compile-commands --kdir "$(KDIR)"

clean:
	rm -rf $(BUILD) tags compile_commands.json
	@find . -name .git -prune -o \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name '.*.d' -o -name '*.order' -o -name '*.symvers' -o -name '*.a' \) \
		-type f -exec rm -f {} +
	@find drivers tools/testing/selftests -name generated -type d -exec rm -rf {} +
