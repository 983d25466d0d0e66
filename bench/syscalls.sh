# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What `syscalls` costs: a program that is recorded, one beside it, one under a policy. The program
# times itself, so that the start of the tool is not in the figure. Sourced by bench/run.

SYSCALLS_OPS=500000
SYSCALLS_STRACE_OPS=20000
SYSCALLS_FILES=50000
SYSCALLS_LOST_OPS=1000000

run_calls()
{
	"$BIN/load" calls "$LOAD_CPU" "$SYSCALLS_OPS"
}

run_find()
{
	"$BIN/load" time 3 taskset -c "$LOAD_CPU" find "$WORK/tree" -name none
}

# record LOAD...: what the load printed, while it is recorded
record()
{
	# shellcheck disable=SC2086 # options
	"$TOOL" syscalls record --quiet $record_options --output "$OUT/recording" -- "$@"
}

syscalls_tree()
{
	[ -d "$WORK/tree" ] && return 0
	mkdir "$WORK/tree"
	for dir in $(seq 100); do
		mkdir "$WORK/tree/$dir"
		(cd "$WORK/tree/$dir" && seq $((SYSCALLS_FILES / 100)) | xargs touch)
	done
}

syscalls_record_round()
{
	compare syscalls.getppid calls_alone calls_recorded &&
		compare syscalls.ptrace calls_alone calls_ptraced || return 1
	if command -v strace >"$WORK/which"; then
		strace_sample || return 1
	fi
	compare syscalls.bystander calls_alone calls_beside || return 1
	syscalls_tree
	compare syscalls.find find_alone find_recorded
}

calls_alone()
{
	figure=$(run_calls)
}

calls_recorded()
{
	figure=$(record "$BIN/load" calls "$LOAD_CPU" "$SYSCALLS_OPS")
}

calls_ptraced()
{
	figure=$(record_options='--engine ptrace' record "$BIN/load" calls "$LOAD_CPU" "$SYSCALLS_STRACE_OPS")
}

calls_straced()
{
	figure=$(strace -f -c -o "$WORK/strace" "$BIN/load" calls "$LOAD_CPU" "$SYSCALLS_STRACE_OPS")
}

calls_beside()
{
	"$TOOL" syscalls record --quiet --output "$OUT/recording" -- sleep 60 &
	bystander_pid=$!
	sleep 1
	figure=$(run_calls) || figure=
	kill "$bystander_pid"
	wait "$bystander_pid" || :
	[ -n "$figure" ]
}

find_alone()
{
	figure=$(run_find)
}

find_recorded()
{
	figure=$(record "$BIN/load" time 3 taskset -c "$LOAD_CPU" find "$WORK/tree" -name none)
}

# What each adds to a call, of a run without either.
strace_sample()
{
	none=$(run_calls) || return 1
	both_sides syscalls.strace calls_recorded calls_straced
	case $? in
	0) ;;
	2) return 0 ;;
	*) return 1 ;;
	esac
	sample value syscalls.strace "$(awk -v none="$none" -v tool="$figure_without" -v strace="$figure_with" \
		'BEGIN { printf "%.5f", (tool - none) / (strace - none) }')"
}

# Two processes at the same time, of whose calls each is counted.
syscalls_lost()
{
	record sh -c "'$BIN/load' calls 0 $SYSCALLS_LOST_OPS & '$BIN/load' calls 1 $SYSCALLS_LOST_OPS; wait" \
		>"$WORK/lost" || return 1
	fact peak syscalls.lost "$(jq --argjson want $((2 * (SYSCALLS_LOST_OPS + 100))) \
		'$want - ([.nodes[] | select(.exe | endswith("/load")) | .calls[] | select(.name == "getppid").count] | add)' "$OUT/recording")"
}

# policy FILE [OPTION...]: what the load needs, recorded with these options
policy()
{
	policy_file=$1
	shift
	record_options=$*
	record "$BIN/load" calls "$LOAD_CPU" 1000 >"$WORK/recorded" &&
		"$TOOL" syscalls policy --quiet --output "$policy_file" "$OUT/recording"
	policy_status=$?
	record_options=
	return "$policy_status"
}

# pair_under KEY POLICY: the load without and with the filters of POLICY
pair_under()
{
	pair_policy=$2
	compare "$1" calls_alone calls_ruled
}

calls_ruled()
{
	figure=$("$TOOL" syscalls run --policy "$pair_policy" -- "$BIN/load" calls "$LOAD_CPU" "$SYSCALLS_OPS")
}

syscalls_policy_round()
{
	pair_under syscalls.policy "$OUT/policy" && pair_under syscalls.phases "$OUT/phases"
}

group_syscalls()
{
	record_options=
	rounds syscalls "$ROUNDS_SYSCALLS" syscalls_record_round
	for _ in 1 2 3; do
		syscalls_lost
	done
	if policy "$OUT/policy" && policy "$OUT/phases" --phase point_1 --phase point_2 \
		--phase point_3 --phase point_4 --phase point_5; then
		rounds syscalls "$ROUNDS_SYSCALLS" syscalls_policy_round
	else
		skip syscalls.policy "no policy was made"
	fi
	rm -rf "$WORK/tree"
}
