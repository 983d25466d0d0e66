# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What `snapshot` takes among 2,000 processes, next to lsof and to the iterators alone. Sourced by
# bench/run.

CROWD=2000

crowd_start()
{
	mkfifo "$WORK/crowd.in"
	"$BIN/inventory" crowd "$CROWD" <"$WORK/crowd.in" >"$WORK/crowd.out" &
	crowd_pid=$!
	exec 9>"$WORK/crowd.in"
	until grep -q ready "$WORK/crowd.out"; do
		sleep 0.1
	done
	# Their loaders are at work for a moment.
	sleep 1
}

crowd_stop()
{
	exec 9>&-
	wait "$crowd_pid"
	crowd_pid=
	rm -f "$WORK/crowd.in"
}

# Sets ns and kb: the time and the memory of a run.
run_measure()
{
	read -r ns kb <<-END
	$("$BIN/inventory" run "$@")
	END
}

# Prints nanoseconds: of the runs $@, the shortest of three.
shortest()
{
	least=
	for _ in 1 2 3; do
		this=$("$@")
		if [ -z "$least" ] || [ "${this%% *}" -lt "$least" ]; then
			least=${this%% *}
		fi
	done
	echo "$least"
}

snapshot_round()
{
	small=$(shortest "$BIN/inventory" run "$TOOL" snapshot --quiet)
	small_bare=$(shortest "$BIN/inventory" bare)
	crowd_start
	large=$(shortest "$BIN/inventory" run "$TOOL" snapshot --quiet)
	large_bare=$(shortest "$BIN/inventory" bare)
	run_measure "$TOOL" snapshot --quiet
	both_sides snapshot.lsof snapshot_alone lsof_alone
	sides=$?
	proc=$("$BIN/inventory" run setpriv --bounding-set=-bpf,-sys_admin \
		"$TOOL" snapshot --quiet)
	crowd_stop
	[ "$sides" -ne 1 ] || return 1
	[ "$sides" -ne 0 ] || sample value snapshot.lsof "$(ratio "$figure_without" "${figure_with%% *}")"
	sample value snapshot.iter \
		"$(ratio $((large - small)) $((large_bare - small_bare)))"
	sample value snapshot.proc "$(ratio "${proc%% *}" "$large")"
	sample value snapshot.ms "$(ratio "$large" 1000000)"
	sample peak snapshot.rss "$(ratio "$kb" 1024)"
	programs=$("$BIN/inventory" programs /usr/bin)
	sample value snapshot.cold "$(ratio "${programs% *}" 1000000)"
	sample value snapshot.warm "$(ratio "${programs#* }" 1000000)"
}

snapshot_alone()
{
	figure=$(shortest "$BIN/inventory" run "$TOOL" snapshot --quiet)
}

lsof_alone()
{
	figure=$("$BIN/inventory" run lsof -n -P)
}

ratio()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'
}

group_inventory()
{
	rounds inventory "$ROUNDS_INVENTORY" snapshot_round
}
