# SPDX-License-Identifier: MIT
#
# crypto-tracer: `make run` shows it at work, `make test` runs every test; see `make help`.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.DEFAULT_GOAL := all

VERSION := 0.1.0
# Reproducible: the date is SOURCE_DATE_EPOCH, else that of the last commit; in an unpacked archive
# that of this file, which has it from there. No path of the machine is in what is built.
ifndef SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)
endif
BUILD_DATE := $(shell date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%d)

CC := gcc
CLANG := clang
LLVM_STRIP := llvm-strip
JOBS := $(shell nproc)
DESTDIR :=
PREFIX := /usr/local

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

# A variant has a folder of its own, so that switching between them rebuilds nothing.
ifdef SAN
BUILD := build/san
VARIANT := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDVARIANT := -fsanitize=address,undefined
else ifdef COVERAGE
BUILD := build/coverage
# What is counted is shared with children (tests/support/counters.c), and gcc's own fork() and exec()
# would clear it there; atomic, since they all count at once.
VARIANT := -O0 --coverage -fprofile-update=atomic -fdata-sections -fno-builtin
LDVARIANT := --coverage -Wl,-T,tests/support/counters.ld
else ifdef DEBUG
BUILD := build/debug
VARIANT := -O0 -g3
else
BUILD := build
VARIANT := -O2 -D_FORTIFY_SOURCE=2
endif

SAME_PATHS := -ffile-prefix-map=$(CURDIR)=.
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla \
	-Wformat=2 -Wimplicit-fallthrough -Wundef -Werror=date-time $(if $(CI),-Werror)
CFLAGS := -std=gnu11 -g $(VARIANT) -fstack-protector-strong -fPIE $(SAME_PATHS) $(WARNINGS)
CPPFLAGS := -D_GNU_SOURCE -Isrc -I$(BUILD)/bpf -include lib/banned.h \
	-DVERSION='"$(VERSION)"' -DBUILD_DATE='"$(BUILD_DATE)"'
LDFLAGS := -pie -Wl,-z,relro,-z,now $(LDVARIANT)
LDLIBS := -lbpf -lelf -lz -lseccomp -lcap -lcrypto -ljson-c
BPF_CFLAGS := -O2 -g -target bpf -D__TARGET_ARCH_$(ARCH) -Wall -Wextra -Werror \
	-Wno-unused-parameter $(SAME_PATHS)
# Its counters are claimed with an atomic exchange (Linux 5.12); without that it does not load.
BPF_CFLAGS_api_user := -mcpu=v3
BPF_CFLAGS_api_user_awake := $(BPF_CFLAGS_api_user)
BPF_CFLAGS_record := -mcpu=v3
# The instructions of Linux 4.15.
BPF_CFLAGS_reduced := -mcpu=v1

BPF_SOURCES := $(sort $(wildcard src/bpf/*.bpf.c src/sources/*/*.bpf.c src/syscalls/*.bpf.c))
BPF_OBJECTS := $(addprefix $(BUILD)/bpf/,$(notdir $(BPF_SOURCES:.c=.o)))
SOURCES := $(sort $(filter-out $(BPF_SOURCES),$(shell find src -name '*.c')))
ASSEMBLED := $(sort $(shell find src -name '*.S'))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o) $(ASSEMBLED:src/%.S=$(BUILD)/obj/%.o)
LIBRARY := $(BUILD)/libcrypto-tracer.a
BINARY := $(BUILD)/crypto-tracer
STATIC_BINARY := $(BUILD)/static/crypto-tracer

UNIT_SOURCES := $(sort $(shell find tests -name '*_test.c'))
UNITS := $(UNIT_SOURCES:tests/%.c=$(BUILD)/tests/%)
TRIGGER_SOURCES := $(sort $(wildcard tests/sources/*/*_trigger.c tests/programs/*.c))
TRIGGERS := $(TRIGGER_SOURCES:tests/%.c=$(BUILD)/tests/%)
SUPPORT := $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(wildcard tests/support/*.c))

# Quiet like the kernel's: V=1 shows the commands.
ifeq ($(V),1)
Q :=
msg =
else
Q := @
msg = @printf '  %-8s %s\n' $(1) '$(patsubst $(BUILD)/%,%,$(2))';
endif

.PHONY: all FORCE
all: $(BINARY)

$(BINARY): $(BUILD)/obj/main.o $(LIBRARY)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The same objects without shared libraries; static.o is for this alone.
$(STATIC_BINARY): $(BUILD)/obj/main.o $(BUILD)/obj/static.o $(LIBRARY)
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -static-pie -o $@ $^ $(LDLIBS) 2>$@.log || { cat $@.log >&2; exit 1; }

# Everything but main(), so that tests link what they test.
$(LIBRARY): $(filter-out $(BUILD)/obj/main.o $(BUILD)/obj/static.o,$(OBJECTS))
	$(call msg,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/obj/%.o: src/%.c Makefile
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/%.o: src/%.S Makefile
	$(call msg,AS,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Isrc -g $(SAME_PATHS) -MMD -MP -c $< -o $@

# What tells the date is made anew when the date is another.
$(BUILD)/obj/cmd/version.o: $(BUILD)/date
$(BUILD)/date: FORCE
	@mkdir -p $(@D)
	@[ "$$(cat $@ 2>/dev/null)" = $(BUILD_DATE) ] || echo $(BUILD_DATE) >$@

# Objects are embedded by .incbin, which the compiler's dependencies do not see.
$(foreach o,$(BPF_OBJECTS),$(eval \
	$(filter %/$(basename $(basename $(notdir $(o)))).o,$(OBJECTS)): $(o)))
$(BUILD)/obj/trace/session.o: $(BUILD)/bpf/seed.bpf.o
$(BUILD)/obj/trace/reduced.o: $(BUILD)/bpf/reduced.bpf.o
$(BUILD)/obj/trace/uprobes.o: $(BUILD)/bpf/api_user.bpf.o $(BUILD)/bpf/api_user_awake.bpf.o
$(BUILD)/obj/trace/late.o: $(BUILD)/bpf/file_open_compat.bpf.o
$(BUILD)/obj/syscalls/record_object.o: $(BUILD)/bpf/record.bpf.o
$(BUILD)/obj/inventory/iterate.o: $(BUILD)/bpf/iterate.bpf.o

define bpf_rule
$(BUILD)/bpf/$(notdir $(1:.c=.o)): $(1) Makefile
	$$(call msg,BPF,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$(CLANG) $(BPF_CFLAGS) $$(BPF_CFLAGS_$(notdir $(1:.bpf.c=))) -MMD -MP -MF $$(@:.o=.d) -MT $$@ -c $$< -o $$@
	$$(Q)$(LLVM_STRIP) -g $$@
endef
$(foreach source,$(BPF_SOURCES),$(eval $(call bpf_rule,$(source))))

# The two commands of the README. They install what is missing first; see tools/install-deps.

.PHONY: run test
run:
	@tools/install-deps run
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/demo $(BINARY)

test:
	@tools/install-deps test
	@$(MAKE) --no-print-directory -j$(JOBS) all test-programs
	@BUILD=$(BUILD) tests/run $(TEST_ARGS) $(UNITS)

# Of the bench; tests/real/soak.bats and tests/bench run them too.
SOAK_PROGRAMS := $(addprefix $(BUILD)/bench/,entries handshakes load mixed)

.PHONY: test-programs triggers
test-programs: $(UNITS) $(TRIGGERS) $(SOAK_PROGRAMS) $(BUILD)/tests/torture/fail.so
triggers: $(TRIGGERS)

$(BUILD)/tests/torture/fail.so: tests/torture/fail.c tests/torture/fail_calls.c tests/torture/fail.h
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 -O1 -g $(WARNINGS) -fPIC -shared -o $@ $(filter %.c,$^) -ldl

# Every allocation and every open fails once, in every command; TORTURE_ARGS='-k monitor -f eintr'.
.PHONY: torture
torture: $(BINARY) $(BUILD)/tests/torture/fail.so
	@BUILD=$(BUILD) tests/torture/run $(TORTURE_ARGS)

# What can run below valgrind: commands without a filter, and the unit tests that need no kernel.
VALGRIND_ARGS := $(addprefix -k ,cmd/valgrind lib/ proto/ pipeline/ sinks/ catalogue/api catalogue/codes)
.PHONY: valgrind
valgrind:
	@tools/install-deps test
	@$(MAKE) --no-print-directory -j$(JOBS) all test-programs
	@BUILD=$(BUILD) VALGRIND=1 tests/run $(VALGRIND_ARGS) $(UNITS)

# The sources' tests on other kernels, in QEMU; VM_KERNELS names some of tests/vm/kernels.
.PHONY: vmtest
vmtest:
	@tools/install-deps vm
	@$(MAKE) --no-print-directory -j$(JOBS) static triggers
	@tools/vmtest $(VM_KERNELS)

# The static binary with musl in glibc's place, build/musl/static/crypto-tracer. What musl-gcc of
# Debian links would be run by musl's loader; rcrt1.o is the start of a program without one.
MUSL := $(CURDIR)/build/musl/libraries
MUSL_OBJECTS = /usr/lib/$(shell uname -m)-linux-musl
.PHONY: static-musl
static-musl:
	@tools/install-deps musl
	@tools/musl-libraries $(MUSL)
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/musl CC='musl-gcc -isystem $(MUSL)/include' \
		LDFLAGS='-L$(MUSL)/lib -nostartfiles -Wl,-static,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now \
			$(addprefix $(MUSL_OBJECTS)/,rcrt1.o crti.o crtn.o) '"$$($(CC) -print-file-name=crtbeginS.o)" \
		LDLIBS='$(LDLIBS) '"$$($(CC) -print-file-name=crtendS.o)" static

# For arm64 by clang, with Debian's libraries of that architecture below build/. It warns of more
# than gcc, in which warnings are errors where CI is set.
.PHONY: static-arm64
static-arm64:
	@tools/vmtest --sysroot arm64
	@$(MAKE) --no-print-directory -j$(JOBS) CI= BUILD=build/arm64 ARCH=arm64 \
		CC='$(CLANG) --target=aarch64-linux-gnu --sysroot=$(CURDIR)/build/vm/sysroot-arm64 -fuse-ld=lld -Wno-unused-command-line-argument' \
		static triggers

$(BUILD)/tests/support/%.o: tests/support/%.c Makefile
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP -c $< -o $@

$(UNITS): $(BUILD)/tests/%: tests/%.c $(SUPPORT) $(LIBRARY)
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(SUPPORT) \
		$(LIBRARY) $(LDLIBS) -lcmocka

# Programs that do what the tool must report. They link nothing of ours.
$(TRIGGERS): $(BUILD)/tests/%: tests/%.c tests/support/trigger.h
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 -O1 -g $(WARNINGS) -o $@ $< -lpthread

$(filter $(BUILD)/tests/programs/calls_%,$(TRIGGERS)): tests/programs/calls.h

# What a tracer costs, as ratios. BENCH_ARGS goes to bench/run (see its --help).
BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,empty hit inventory latency packets probes tracer) \
	$(SOAK_PROGRAMS)

.PHONY: bench bench-programs
bench: $(BINARY) bench-programs
	bench/run $(BENCH_ARGS)

bench-programs: $(BENCH_PROGRAMS)

$(BUILD)/bench/handshakes: LDLIBS += -lssl
$(BENCH_PROGRAMS): $(BUILD)/bench/%: bench/%.c bench/bench.h $(LIBRARY)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIBRARY) $(LDLIBS)

# Under a steady load for so long: all is told, and nothing grows (bench/soak --help).
SOAK_SECONDS := 60

.PHONY: soak
soak:
	@tools/install-deps test
	@$(MAKE) --no-print-directory $(BINARY) $(SOAK_PROGRAMS)
	@bench/soak --tool $(BINARY) --bin $(BUILD)/bench $(SOAK_SECONDS)

# Each parser of foreign bytes under libFuzzer and sanitizers: FUZZ_SECONDS each.
FUZZ_SECONDS := 60
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
FUZZ_SOURCES := $(filter-out src/main.c,$(SOURCES))

.PHONY: fuzz fuzz-programs
fuzz: fuzz-programs
	@tools/fuzz $(FUZZ_SECONDS) $(FUZZERS:%=build/fuzz/%_fuzz)

fuzz-programs:
	@$(MAKE) --no-print-directory CC=$(CLANG) BUILD=build/fuzz \
		VARIANT='-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' \
		$(FUZZERS:%=build/fuzz/%_fuzz)

build/fuzz/%_fuzz: tests/fuzz/%_fuzz.c build/fuzz/libcrypto-tracer.a $(SUPPORT)
	$(call msg,FUZZ,$@)
	$(Q)$(CLANG) $(CPPFLAGS) -Itests $(CFLAGS) -fsanitize=fuzzer,address,undefined -o $@ $< \
		$(SUPPORT) build/fuzz/libcrypto-tracer.a $(LDLIBS)

.PHONY: lint debug static docs doxygen coverage coverage-run compile_commands.json
lint: export CPPFLAGS := $(CPPFLAGS)
lint: export CFLAGS := -std=gnu11 $(WARNINGS)
lint:
	@tools/install-deps lint
	@$(MAKE) --no-print-directory $(BPF_OBJECTS)
	@tools/lint

debug:
	@$(MAKE) --no-print-directory DEBUG=1 all

static: $(STATIC_BINARY)

# What is published, below build/release: see tools/make-release.
.PHONY: release
release: $(STATIC_BINARY)
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) tools/make-release $(STATIC_BINARY) $(VERSION) build/release

# For the Debian or Ubuntu that it is made on, dynamically linked.
.PHONY: deb
deb: $(BINARY)
	@tools/install-deps package
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) tools/make-deb $(BINARY) $(VERSION) $(BUILD)/deb

# docs/events.md and the manual page's chapter come from the field tables.
docs: $(BINARY)
	@tools/make-docs $(BINARY)

doxygen:
	doxygen docs/Doxyfile

# What the unit and replay tests execute of src/, COVERAGE_MIN percent at least.
COVERAGE_MIN := 80
coverage:
	@tools/install-deps test
	@$(MAKE) --no-print-directory COVERAGE=1 coverage-run

# Some tests take over the running program.
coverage-run: $(BINARY) $(UNITS)
	@BUILD=$(BUILD) tools/coverage -m $(COVERAGE_MIN) $(BUILD) $(UNITS)

# Shell completions are printed by the tool itself. One built for another machine does not run here:
# COMPLETER names one that does.
COMPLETER := $(BINARY)
COMPLETIONS := $(addprefix $(BUILD)/completions/,bash zsh fish)

$(COMPLETIONS): $(BUILD)/completions/%: $(BINARY)
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(COMPLETER) completion $* >$@

.PHONY: install clean help
install: $(BINARY) $(COMPLETIONS)
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/crypto-tracer
	install -D -m 0644 docs/crypto-tracer.1 $(DESTDIR)$(PREFIX)/share/man/man1/crypto-tracer.1
	install -D -m 0644 $(BUILD)/completions/bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/crypto-tracer
	install -D -m 0644 $(BUILD)/completions/zsh \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_crypto-tracer
	install -D -m 0644 $(BUILD)/completions/fish \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/crypto-tracer.fish

clean:
	rm -rf build

help:
	@echo 'make run      install what is missing, build, show it at work for 10 s'
	@echo 'make test     install what is missing, build, run every test'
	@echo 'make          build $(BUILD)/crypto-tracer'
	@echo 'make install  to $$DESTDIR$$PREFIX ($(PREFIX))'
	@echo 'make static   one binary without shared libraries, build/static/crypto-tracer'
	@echo 'make static-musl  the same with musl in place of glibc, build/musl/static/crypto-tracer'
	@echo 'make release  that binary stripped, an archive of it and its licences, build/release'
	@echo 'make deb      a package for this release of Debian or Ubuntu, build/deb'
	@echo 'make vmtest   the tests of the sources on other kernels, in QEMU (VM_KERNELS=6.1)'
	@echo 'make bench    what it costs, beside other tools (BENCH_ARGS=--quick)'
	@echo 'make soak     a steady load: is all told, does nothing grow (SOAK_SECONDS=60)'
	@echo 'make fuzz     every parser under sanitizers (FUZZ_SECONDS=60)'
	@echo 'make torture  every allocation and every open fails once, in every command (hours)'
	@echo 'make valgrind commands and unit tests below valgrind (long)'
	@echo 'make lint     formatter, static analysis, layout'
	@echo 'make coverage what the unit tests execute of src/, in lines'
	@echo 'make docs     write docs/events.md and the manual page anew'
	@echo 'make debug    build/debug/crypto-tracer; SAN=1: with sanitizers'

-include $(OBJECTS:.o=.d) $(BPF_OBJECTS:.o=.d) $(UNITS:=.d) $(SUPPORT:.o=.d)
