# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# The two sides of a comparison, and whether they had the same machine. Sourced by bench/run.
#
# Around each side a loop is timed that does nothing but compute, on the CPU of the load: a slower
# machine shows there. While it runs, the processor time that is not ours is taken from /proc/stat.
# Sides that differ in one or the other (comparable.awk) are measured again, and at last left out:
# a ratio of them would be one of two machines.

SIDE_TRIES=3
SPIN_MS=20

# side NAME FUNCTION [ARGUMENT...]: runs FUNCTION, which sets `figure` and ends all that it starts.
# Its conditions, "OTHERS SPIN_NS", are in $WORK/side.NAME. Fails as FUNCTION does.
side()
{
	side_name=$1
	shift
	spin_before=$("$BIN/load" spin "$LOAD_CPU" "$SPIN_MS") || return 1
	clock_mark "$WORK/side.begin"
	figure=
	"$@" || return 1
	clock_mark "$WORK/side.end"
	spin_after=$("$BIN/load" spin "$LOAD_CPU" "$SPIN_MS") || return 1
	awk -v before="$spin_before" -v after="$spin_after" '
		FNR == NR { own = $1; busy = $2; now = $3; next }
		{
			others = 100 * (($2 - busy) - ($1 - own)) / ($3 > now ? $3 - now : 1)
			printf "%.1f %.4f\n", (others > 0 ? others : 0), (before + after) / 2
		}' "$WORK/side.begin" "$WORK/side.end" >"$WORK/side.$side_name"
}

# sides_agree A B: whether they had the same machine; $why where they had not.
sides_agree()
{
	why=$(awk -f "$BENCH/comparable.awk" "$WORK/side.$1" "$WORK/side.$2")
}

# both_sides KEY WITHOUT WITH: runs both functions, until they had the same machine. Sets
# figure_without and figure_with. Fails where they did not, which is noted, with status 2, and where
# one of them failed, with 1.
both_sides()
{
	for try in $(seq "$SIDE_TRIES"); do
		side without "$2" || return 1
		figure_without=$figure
		side with "$3" || return 1
		figure_with=$figure
		if sides_agree without with; then
			sample comparable "$1"
			return 0
		fi
		say "$1: not comparable ($why), try $try of $SIDE_TRIES"
	done
	fact incomparable "$1" "$why"
	return 2
}

# compare KEY WITHOUT WITH: a pair, unless the sides cannot be compared.
compare()
{
	both_sides "$@"
	case $? in
	0) ;;
	2) return 0 ;;
	*) return 1 ;;
	esac
	[ -n "$figure_without" ] && [ -n "$figure_with" ] && sample pair "$1" "$figure_without" "$figure_with"
}
