# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# Groups about the process of the tracer itself: burst, consumer, filter, latency, peers.
# Sourced by bench/run.

EVENT_RATE=5000

# burst_once COUNT: opens one .pem COUNT times; what was written is counted in the output itself.
burst_once()
{
	tracer_start crypto-tracer "$OUT/burst" || return 1
	"$BIN/load" burst "$LOAD_CPU" "$FILES/a.pem" "$1" >"$WORK/rate"
	tracer_stop || return 1
	sample_lifetime
	coverage_read "$OUT/burst" || return 1
	lines=$(grep -c '"event_type":"file_open"' "$OUT/burst")
	mine=$(grep -c '"file_open".*/a\.pem"' "$OUT/burst")
	sample value burst.written "$(awk -v m="$mine" -v n="$1" 'BEGIN { printf "%.4f", 100 * m / n }')"
	gap=$((coverage_seen - coverage_rejected - coverage_filtered - coverage_written - coverage_lost))
	fact peak burst.gap "${gap#-}"
	gap=$((lines - coverage_written))
	fact peak burst.lines "${gap#-}"
	sample value burst.rate "$(cat "$WORK/rate")"
	rm -f "$OUT/burst"
}

group_burst()
{
	rounds burst "$ROUNDS_BURST" burst_once 1000000 ||
		skip burst "the tool or its coverage record failed"
}

# rate_watch SECONDS: processor time under events at a rate; sets rate_share and rate_peak.
rate_watch()
{
	"$BIN/load" rate "$LOAD_CPU" "$FILES/a.pem" "$EVENT_RATE" $(($1 * 1000 + 1000)) >"$WORK/rate" &
	load_pid=$!
	sleep 0.5
	tracer_usage
	cpu_first=$usage_cpu at_first=$usage_at rate_peak=0
	for _ in $(seq "$1"); do
		cpu_last=$usage_cpu at_last=$usage_at
		sleep 1
		tracer_usage
		second=$(share "$cpu_last" "$at_last" "$usage_cpu" "$usage_at")
		rate_peak=$(printf '%s\n%s\n' "$rate_peak" "$second" | sort -g | tail -n 1)
	done
	rate_share=$(share "$cpu_first" "$at_first" "$usage_cpu" "$usage_at")
	wait "$load_pid"
	[ "$(cat "$WORK/rate")" -ge $((EVENT_RATE * 98 / 100)) ]
}

consumer_once()
{
	tracer_start "$TOOL_NAME" "$OUT/consumer" || return 1
	sleep 0.5
	tracer_usage
	cpu_last=$usage_cpu at_last=$usage_at
	sleep "$SECONDS_CONSUMER"
	tracer_usage
	sample value cpu.idle "$(share "$cpu_last" "$at_last" "$usage_cpu" "$usage_at")"
	if rate_watch "$SECONDS_CONSUMER"; then
		sample value cpu.rate "$rate_share"
		sample peak cpu.peak "$rate_peak"
	else
		say "the load reached only $(cat "$WORK/rate") events/s: not used"
	fi
	fact peak memory.rss "$(kib_to_mb "$usage_rss")"
	fact peak memory.peak "$(kib_to_mb "$usage_peak")"
	fact peak memory.vsz "$(kib_to_mb "$usage_vsz")"
	fact peak memory.maps "$(kib_to_mb $((usage_maps / 1024)))"
	tracer_stop || return 1
	sample_lifetime
}

kib_to_mb()
{
	awk -v kib="$1" 'BEGIN { printf "%.3f", kib * 1024 / 1e6 }'
}

group_consumer()
{
	rounds consumer "$ROUNDS_CONSUMER" consumer_once || skip consumer "the tool failed"
}

# latency_once KEY RATE MS: from just before an open to its line read from a pipe.
latency_once()
{
	rm -f "$OUT/pipe"
	mkfifo "$OUT/pipe"
	# The pipe's reader takes from the same CPU as the tracer: the load has the other one.
	taskset -c "$TOOL_CPU" "$BIN/latency" <"$OUT/pipe" >"$WORK/latency" &
	reader_pid=$!
	latency_tracer "$OUT/pipe" &
	writer_pid=$!
	sleep 1
	"$BIN/load" stamp "$LOAD_CPU" "$FILES" "$2" "$3" >"$WORK/rate"
	sleep 0.2
	kill "$writer_pid" 2>/dev/null || :
	wait "$writer_pid" 2>/dev/null || :
	writer_pid=
	wait "$reader_pid" || return 1
	read -r _ p50 p99 _ skew <"$WORK/latency"
	sample value "latency.$1.p50" "$p50"
	sample value "latency.$1" "$p99"
	[ "$skew" = - ] || sample value latency.skew "$skew"
}

# Becomes the tracer whose output goes into the pipe.
latency_tracer()
{
	exec >"$1" 2>/dev/null
	case $TOOL_NAME in
	crypto-tracer) exec taskset -c "$TOOL_CPU" "$TOOL" monitor --quiet --output - ;;
	bpftrace) exec taskset -c "$TOOL_CPU" "$BENCH/with-tracefs" bpftrace -e "$BPFTRACE_PROGRAM" ;;
	opensnoop) exec taskset -c "$TOOL_CPU" "$BENCH/with-tracefs" opensnoop ;;
	esac
}

# Runs a COMMAND and sets begin_ms, what it had to wait for until it began, and end_ms, what the
# tool then took to end.
command_run()
{
	began=$(date +%s%N)
	ran=$("$TOOL" monitor --quiet --output "$OUT/command" -- date +%s%N) || return 1
	ended=$(date +%s%N)
	rm -f "$OUT/command"
	begin_ms=$(((ran - began) / 1000000))
	end_ms=$(((ended - ran) / 1000000))
}

# What a program has to wait for that is COMMAND; and with the files of the tool dropped from memory
# before, as far as nobody else has them mapped (the C library).
command_once()
{
	[ "$TOOL_NAME" = crypto-tracer ] || return 0
	command_run || return 1
	fact value start.command "$begin_ms"
	fact value stop.command "$end_ms"
	{
		echo "$TOOL"
		ldd "$TOOL" | awk '$3 ~ "^/" { print $3 }'
	} | while read -r file; do
		dd if="$file" iflag=nocache count=0 2>"$WORK/dd" || exit 1
	done || return 1
	command_run || return 1
	fact value start.cold "$begin_ms"
}

latency_round()
{
	latency_once slow 20 "$((SECONDS_LATENCY * 2000))" &&
	latency_once fast "$EVENT_RATE" "$((SECONDS_LATENCY * 1000))" &&
	command_once && command_once && command_once
}

group_latency()
{
	rounds latency "$ROUNDS_LATENCY" latency_round || skip latency "no event arrived"
}

# All events reach user space and a filter there refuses each: reading, decoding and filtering them
# together, an upper bound for the filter.
filter_once()
{
	needle='"start"'
	tracer_start crypto-tracer "$OUT/filter" --file '/bench/*/no-such-name-*.pem' || return 1
	sleep 0.3
	tracer_usage
	cpu_first=$usage_cpu
	"$BIN/load" burst "$LOAD_CPU" "$FILES/a.pem" 200000 >"$WORK/rate"
	sleep 0.2
	tracer_usage
	tracer_stop || return 1
	fact value stop "$stop_ms"
	coverage_read "$OUT/filter" || return 1
	if [ "$coverage_filtered" -lt 100000 ]; then
		say "only $coverage_filtered events met the filter in user space"
		return 1
	fi
	sample value filter "$(awk -v ns=$((usage_cpu - cpu_first)) -v n="$coverage_filtered" \
		'BEGIN { printf "%.1f", ns / n }')"
}

group_filter()
{
	rounds filter "$ROUNDS_CONSUMER" filter_once || skip filter "no event met the filter"
}

# What of COUNT opens stands in the output, percent.
peer_kept()
{
	"$BIN/load" burst "$LOAD_CPU" "$FILES/a.pem" "$1" >"$WORK/rate"
	sleep 1
	tracer_stop || return 1
	case $tracer_name in
	perf) kept=$(grep -c ' load/.*openat(' "$tracer_out") ;;
	*) kept=$(grep -c '/a\.pem' "$tracer_out") ;;
	esac
	awk -v m="$kept" -v n="$1" 'BEGIN { m = m > n ? n : m; printf "%.1f", 100 * m / n }'
}

peer_once()
{
	tracer_start "$1" "$OUT/peer" || return 1
	rate_watch "$SECONDS_PEER" || say "'$1' slowed the load down to $(cat "$WORK/rate") events/s"
	sample peer "$1" cpu "$rate_share"
	sample peer "$1" first "$first_ms"
	sample peer "$1" rss "$(kib_to_mb "$usage_rss")"
	tracer_stop || return 1
	sample peer "$1" stop "$stop_ms"
	tracer_start "$1" "$OUT/peer" || return 1
	peer_kept 100000 >"$WORK/kept" || return 1
	sample peer "$1" kept "$(cat "$WORK/kept")"
}

group_peers()
{
	for peer in $TOOL_NAME $PEERS; do
		case $peer in none | strace) continue ;; esac
		rounds peers 1 peer_once "$peer" || skip "$peer" "could not be measured"
		rm -f "$OUT/peer"
	done
}
