# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# Samples and rounds. Sourced by bench/run.
#
# Everything measured is one line in $WORK/samples; report.awk makes figures of them:
#	open ROUND VARIANT KIND NS BASE_NS	a loop under a variant, and without any directly before
#	value KEY X		one of several, the median counts
#	peak KEY X		one of several, the greatest counts
#	pair KEY NONE TOOL	time of a workload without and with the tool
#	peer NAME COLUMN X	for the table of tracers side by side
#	dropped GROUP, kept GROUP	a comparison that could not, or could, be used
#	incomparable KEY WHY, comparable KEY	the same, of its two sides (sides.sh)
#	skip KEY REASON		why a figure (or all of a group, or a tracer) is missing
#
# The samples of a round become valid when it ends and the machine was ours meanwhile: what runs
# without a tracer and what runs with one must have had the same machine.

# The processor time (percent of one CPU, what the hypervisor took included) that others may use
# before a round begins, and while it lasts.
MAX_LOAD_BEFORE=20
MAX_LOAD=10
# The most of its time a loop may have waited for its CPU, percent.
MAX_WAIT=5

say()
{
	printf 'bench: %s\n' "$*" >&2
}

sample()
{
	printf '%s\n' "$*" >>"$WORK/round"
}

# A sample that is no comparison: valid whatever else the machine does.
fact()
{
	printf '%s\n' "$*" >>"$WORK/samples"
}

skip()
{
	fact skip "$*"
	say "skipped: $*"
}

# "OWN_MS BUSY_MS NOW_MS" to FILE: processor time of ours, of all, and the time. Ours is what the
# shell has waited for (times does not work in a subshell) and the server that still runs.
clock_mark()
{
	times >"$WORK/times"
	own_ms=$(awk 'FNR == 2 {
		gsub(/[ms]/, " ")
		printf "%.0f", 1000 * ($1 * 60 + $2 + $3 * 60 + $4)
	}' "$WORK/times")
	if [ -n "${nginx_pid:-}" ]; then
		own_ms=$((own_ms + $("$BIN/load" cpu "$nginx_pid")))
	fi
	echo "$own_ms $("$BIN/load" busy)" >"$1"
}

# Sets tracers. The programs of a tracer that has just ended stay for some milliseconds.
tracers_count()
{
	for _ in 1 2 3 4 5 6; do
		tracers=$("$BIN/empty" others)
		[ "$tracers" -gt 0 ] || return 0
		sleep 0.05
	done
}

# Nobody else computes much, and there is no other tracer.
machine_is_calm()
{
	tracers_count
	[ "$tracers" -eq 0 ] && [ "$("$BIN/load" quiet 200)" -le "$MAX_LOAD_BEFORE" ]
}

round_begin()
{
	: >"$WORK/round"
	until machine_is_calm || [ "$calm_left" -le 0 ]; do
		sleep 0.8
		calm_left=$((calm_left - 1))
	done
	tracers_before=$tracers
	clock_mark "$WORK/mark"
}

# round_drop REASON...
round_drop()
{
	say "$round_group: round dropped, $*"
	fact dropped "$round_group"
	return 1
}

# Keeps the samples of the round, or drops them and fails because the machine was not ours alone.
round_end()
{
	clock_mark "$WORK/mark.end"
	others=$(awk 'FNR == NR { own = $1; busy = $2; now = $3; next }
		{ printf "%.0f", 100 * (($2 - busy) - ($1 - own)) / ($3 - now) }' "$WORK/mark" "$WORK/mark.end")
	tracers_count
	if [ $((tracers_before + tracers)) -gt 0 ]; then
		round_drop "there is another tracer"
	elif [ "$others" -gt "$MAX_LOAD" ]; then
		round_drop "others used $others % of a CPU"
	else
		cat "$WORK/round" >>"$WORK/samples"
		fact kept "$round_group"
	fi
}

# rounds GROUP COUNT FUNCTION [ARGUMENT...]: runs COUNT rounds of FUNCTION, and half as many
# again at most in the place of dropped ones. Fails as soon as FUNCTION does.
rounds()
{
	round_group=$1 rounds_wanted=$2 rounds_kept=0 rounds_tried=0
	shift 2
	while [ "$rounds_kept" -lt "$rounds_wanted" ] &&
	      [ "$rounds_tried" -le $((rounds_wanted * 3 / 2)) ]; do
		rounds_tried=$((rounds_tried + 1))
		say "$round_group: $*, round $((rounds_kept + 1)) of $rounds_wanted"
		round_begin
		"$@" || return 1
		! round_end || rounds_kept=$((rounds_kept + 1))
	done
}

# What every start and stop of the tool itself tells.
sample_lifetime()
{
	[ "$tracer_name" = "$TOOL_NAME" ] || return 0
	fact value start.first "$first_ms"
	fact value stop "$stop_ms"
}

# share CPU_NS_BEFORE AT_BEFORE CPU_NS AT: percent of one CPU
share()
{
	awk -v c0="$1" -v t0="$2" -v c1="$3" -v t1="$4" \
		'BEGIN { printf "%.4f", 100 * (c1 - c0) / (t1 - t0) }'
}
