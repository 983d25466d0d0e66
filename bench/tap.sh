# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What the packet tap costs those who send and receive. Sourced by bench/run.
#
# Without nginx and curl the bulk transfers are left. The tracer is $BIN/packets, so that nothing but
# the tap is measured: what the tool does with its records is not in the way of packets.

TAP_BULK_MS=1000
TAP_HANDSHAKES_MS=2000

# run_bulk and run_bulk_tls: ns a MiB, of a connection that begins with text, or as TLS does
run_bulk()
{
	"$BIN/packets" bulk "$LOAD_CPU" "$TOOL_CPU" 120 "$TAP_BULK_MS"
}

run_bulk_tls()
{
	"$BIN/packets" bulk "$LOAD_CPU" "$TOOL_CPU" 22 "$TAP_BULK_MS"
}

tap_bulk_round()
{
	workload_pair tap.bulk tap bulk &&
		workload_pair tap.bulk.tls tap-undecided bulk_tls &&
		workload_pair tap.bulk.empty tap-empty bulk
}

# Each both under the tap and under programs that do nothing: that is what the place costs.
tap_web_round()
{
	for name in http https close; do
		workload_pair "tap.$name" tap "$name" &&
			workload_pair "tap.$name.empty" tap-empty "$name" || return 1
	done
}

# Each KIND a line: what a hit costs, and one of a program that does nothing.
tap_hits_round()
{
	"$BIN/packets" hits "$LOAD_CPU" 5 >"$WORK/hits" || return 1
	while read -r kind ns empty; do
		sample value "tap.$kind" "$(awk -v a="$ns" -v b="$empty" 'BEGIN { print a - b }')"
	done <"$WORK/hits"
}

tap_handshakes_start()
{
	needle='"start"'
	tracer_start crypto-tracer "$OUT/handshakes" --event tls_handshake
}

run_handshakes()
{
	"$BIN/handshakes" "$LOAD_CPU" "$TAP_HANDSHAKES_MS"
}

tap_handshakes_traced()
{
	tap_handshakes_start || return 1
	figure=$(run_handshakes) || figure=
	tracer_stop || return 1
	rm -f "$OUT/handshakes"
	[ -n "$figure" ]
}

# At full load what they lose; at 60 % of it what the tool tells of them. Both ends are ours.
tap_handshakes_round()
{
	pair_name=handshakes
	compare tap.handshakes workload_alone tap_handshakes_traced || return 1
	tap_handshakes_start || return 1
	nr=$("$BIN/handshakes" "$LOAD_CPU" "$TAP_HANDSHAKES_MS" $((600000000 / figure_without))) || nr=
	tracer_stop && [ -n "$nr" ] && coverage_read "$OUT/handshakes" tap || return 1
	told=$(grep -c '"event_type":"tls_handshake".*"process":"handshakes".*"outcome":"established"' \
		"$OUT/handshakes")
	sample value tap.handshakes.told "$(awk -v told="$told" -v nr="$nr" \
		'BEGIN { printf "%.4f", 100 * told / (2 * nr) }')"
	sample peak tap.handshakes.lost "$coverage_lost"
	rm -f "$OUT/handshakes"
}

group_tap()
{
	rounds tap "$ROUNDS_TAP" tap_handshakes_round
	rounds tap "$ROUNDS_TAP" tap_hits_round
	rounds tap "$ROUNDS_TAP" tap_bulk_round
	if command -v curl >"$WORK/which" && command -v wrk >"$WORK/which" && nginx_start; then
		run_close >"$WORK/warm" && rounds tap "$ROUNDS_TAP" tap_web_round
		nginx_stop
	else
		skip tap.http "no curl, no wrk, or nginx did not start"
	fi
}
