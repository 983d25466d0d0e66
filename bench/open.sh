# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# Group open: loops of system calls under each tracer. Sourced by bench/run.

# loops RESULT TURNS [WRAPPER...]
loops()
{
	loops_result=$1 loops_turns=$2
	shift 2
	"$@" "$BIN/load" loop "$LOAD_CPU" "$FILES" "$loops_turns" "$LOOP_OPS" \
		>"$loops_result" 2>"$loops_result.err"
}

# open_sample ROUND VARIANT: joins what both passes printed; a pass that had to wait is dropped.
open_sample()
{
	awk -v round="$1" -v variant="$2" -v max="$MAX_WAIT" '
		$1 == "wait" { waited = $2 > waited ? $2 : waited; next }
		FNR == NR { base[$1] = $2; next }
		{ line[++n] = "open " round " " variant " " $1 " " $2 " " base[$1] }
		END {
			print (waited > max ? "dropped open" : "kept open")
			for (i = 1; i <= n && waited <= max; i++)
				print line[i]
		}' "$WORK/base" "$WORK/with" >>"$WORK/round"
}

# open_pass ROUND VARIANT: the loops without anything, then at once with the tracer.
open_pass()
{
	pair_tracer=$2
	both_sides "open.$2" open_alone open_traced
	case $? in
	0) ;;
	2) return 0 ;;
	*) return 1 ;;
	esac
	open_sample "$1" "$2"
	lost_sample "$2"
}

open_alone()
{
	loops "$WORK/base" "$LOOP_TURNS"
}

open_traced()
{
	if [ "$pair_tracer" = strace ]; then
		# A hundred times slower: fewer turns tell as much.
		loops "$WORK/with" 2 taskset -c "$TOOL_CPU" \
			strace -f -e trace=openat -o /dev/null
		return
	fi
	tracer_start "$pair_tracer" "$OUT/open" || return 1
	if ! loops "$WORK/with" "$LOOP_TURNS"; then
		tracer_stop
		return 1
	fi
	tracer_stop || return 1
	[ "$pair_tracer" = none ] || sample_lifetime
}

# Events lost in a loop were cheaper than those that were not: the table says how many there were.
lost_sample()
{
	[ "$1" = crypto-tracer ] || return 0
	coverage_read "$OUT/open" || return 0
	sample value open.lost "$coverage_lost"
}

# The sums of all hooks of file_open from the coverage record at the end of OUTPUT.
coverage_read()
{
	tail -n 4 "$1" | grep '"event_type":"coverage"' |
		jq -er --arg source "${2:-file_open}" '[.sources[] | select(.name == $source)] |
		[(map(.seen) | add), (map(.rejected) | add), (map(.filtered) | add),
		 (map(.written) | add), (map(.lost | add) | add)] | @tsv' >"$WORK/coverage" 2>/dev/null &&
	read -r coverage_seen coverage_rejected coverage_filtered coverage_written coverage_lost \
		<"$WORK/coverage"
}

# open_variant ROUND VARIANT: a tracer that fails once is not tried again.
open_variant()
{
	case " $open_failed " in *" $2 "*) return 0 ;; esac
	open_pass "$1" "$2" && return 0
	open_failed="$open_failed $2"
	skip "$2" "could not be measured"
}

open_round()
{
	for variant in none empty-pair empty-exit "$TOOL_NAME"; do
		open_variant "$rounds_tried" "$variant"
	done
	[ "$rounds_kept" -lt "$ROUNDS_PEERS" ] || return 0
	for variant in $PEERS; do
		[ "$variant" = "$TOOL_NAME" ] || open_variant "$rounds_tried" "$variant"
	done
}

group_open()
{
	open_failed=
	rounds open "$ROUNDS_OPEN" open_round
}
