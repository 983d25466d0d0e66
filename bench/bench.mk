# SPDX-License-Identifier: MIT
# make bench: what a tracer costs, as ratios. BENCH_ARGS goes to bench/run (see its --help).

BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,empty latency load tracer)

.PHONY: bench bench-programs
bench-programs: $(BENCH_PROGRAMS)

bench: $(BUILD)/crypto-tracer $(BENCH_PROGRAMS)
	bench/run $(BENCH_ARGS)

$(BENCH_PROGRAMS): $(BUILD)/bench/%: bench/%.c bench/bench.h
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(BENCH_LIBS)

$(BUILD)/bench/empty: BENCH_LIBS := -lbpf -lelf -lz
