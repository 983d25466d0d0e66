# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2086
# Starting, asking and stopping a tracer, one at a time. Sourced by bench/run.
#
# A tracer is named by a word: crypto-tracer, none, empty-exit, empty-pair, opensnoop, bpftrace,
# perf; of the packet tap alone tap, tap-undecided, tap-empty. Adding one is a case in
# tracer_is_installed and one in tracer_start.
# strace is not among them: it can only run a command of its own, see open.sh.

BPFTRACE_PROGRAM='tracepoint:syscalls:sys_enter_openat
{ printf("%s %d %s\n", comm, pid, str(args->filename)); }'

tracer_pid=

tracer_is_installed()
{
	case $1 in
	none) ;;
	crypto-tracer) [ -x "$TOOL" ] ;;
	empty-*) [ -x "$BIN/empty" ] ;;
	tap*) [ -x "$BIN/packets" ] ;;
	perf) command -v perf >/dev/null && perf trace -h 2>&1 | grep -q 'perf trace' ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# tracer_start NAME OUTPUT [ARGUMENT...]: returns when the tracer reports an open of the probe
# and sets first_ms; ARGUMENTs are for crypto-tracer alone. `needle` may be set by the
# caller where the probe is not reported. Fails where it cannot be started, having said so.
tracer_start()
{
	tracer_name=$1 tracer_out=$2
	shift 2
	needle=${needle:-probe.pem}
	case $tracer_name in
	none) return 0 ;;
	crypto-tracer) set -- TERM "$TOOL" monitor --quiet --output "$tracer_out" "$@" ;;
	empty-exit) needle=attached; set -- TERM "$BIN/empty" sys_exit_openat ;;
	empty-pair) needle=attached; set -- TERM "$BIN/empty" sys_enter_openat sys_exit_openat ;;
	tap) needle=attached; set -- TERM "$BIN/packets" tap ;;
	tap-undecided) needle=attached; set -- TERM "$BIN/packets" undecided ;;
	tap-empty) needle=attached; set -- TERM "$BIN/packets" empty ;;
	opensnoop) set -- INT "$BENCH/with-tracefs" opensnoop ;;
	bpftrace) set -- INT "$BENCH/with-tracefs" bpftrace -e "$BPFTRACE_PROGRAM" ;;
	perf)
		needle='openat('
		set -- INT "$BENCH/with-tracefs" perf trace -a -e openat -o "$tracer_out"
		;;
	esac
	"$BIN/tracer" "$TOOL_CPU" "$tracer_out" "$needle" "$FILES/probe.pem" "$@" >"$WORK/answers" &
	tracer_pid=$!
	needle=
	exec 3<"$WORK/answers"
	if read -r answer first_ms <&3 && [ "$answer" = ready ]; then
		return 0
	fi
	say "'$tracer_name' did not start: $(tail -n 1 "$tracer_out.err" 2>/dev/null)"
	tracer_forget
	return 1
}

# Sets usage_cpu and usage_at (ns), usage_rss, usage_vsz and usage_peak (KiB), usage_maps (bytes).
tracer_usage()
{
	kill -USR1 "$tracer_pid"
	read -r answer usage_cpu usage_at usage_rss usage_vsz usage_maps usage_peak <&3
	[ "$answer" = usage ]
}

tracer_forget()
{
	exec 3<&-
	wait "$tracer_pid" || :
	tracer_pid=
}

# Stops the tracer and sets stop_ms. Fails where it had ended by itself.
tracer_stop()
{
	[ "$tracer_name" != none ] || return 0
	kill "$tracer_pid" 2>/dev/null || :
	stop_ms=
	if read -r answer stop_ms <&3 && [ "$answer" = stopped ]; then
		tracer_forget
		return 0
	fi
	say "'$tracer_name' ended by itself: $(tail -n 1 "$tracer_out.err" 2>/dev/null)"
	tracer_forget
	return 1
}
