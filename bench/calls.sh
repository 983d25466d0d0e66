# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What the probes of api_call cost those who pass them, who map the libraries they are in, and the
# tool that attaches them and lets go of them. Sourced by bench/run.

CURL_RUNS=9
CURL_REQUESTS=100

# The tool on curl's calls of SET.
calls_start()
{
	"$TOOL" monitor --quiet --name curl --api "$1" --output "$OUT/calls" &
	calls_pid=$!
	until [ -s "$OUT/calls" ]; do
		kill -0 "$calls_pid" 2>/dev/null || return 1
		sleep 0.05
	done
}

calls_stop()
{
	kill "$calls_pid"
	wait "$calls_pid" || :
	rm -f "$OUT/calls"
}

# One process and connection for all requests.
run_keep()
{
	# shellcheck disable=SC2046
	"$BIN/load" time "$CURL_RUNS" taskset -c "$LOAD_CPU" curl -sk -o /dev/null \
		"https://127.0.0.1:$((NGINX_PORT + 1))/page?[1-$CURL_REQUESTS]"
}

# One process, a connection for each.
run_close()
{
	"$BIN/load" time 3 taskset -c "$LOAD_CPU" curl -sk -o /dev/null -H 'Connection: close' \
		"https://127.0.0.1:$((NGINX_PORT + 1))/page?[1-$CURL_REQUESTS]"
}

# A process for one request.
run_one()
{
	"$BIN/load" time 30 taskset -c "$LOAD_CPU" curl -sk -o /dev/null \
		"https://127.0.0.1:$((NGINX_PORT + 1))/page"
}

calls_traced()
{
	calls_start "$pair_set" || return 1
	figure=$("run_$pair_name") || figure=
	calls_stop
	[ -n "$figure" ]
}

# calls_pair FORM SET
calls_pair()
{
	pair_name=$1 pair_set=$2
	compare "calls.$1.$2" workload_alone calls_traced
}

calls_round()
{
	for form in keep close one; do
		calls_pair "$form" none && calls_pair "$form" default && calls_pair "$form" all || return 1
	done
}

# Each KIND a line: what a hit costs with the tool's program, and with an empty one.
hits_round()
{
	"$BIN/hit" "$LOAD_CPU" 20 >"$WORK/hits" || return 1
	while read -r kind ns empty; do
		sample value "hit.$kind" "$(ratio "$ns" "$empty")"
	done <"$WORK/hits"
}

library_of()
{
	ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }'
}

# Copies, which nobody has mapped, next to each other.
probes_round()
{
	mkdir -p "$WORK/copies"
	for i in $(seq 50); do
		[ -e "$WORK/copies/$i/libcrypto.so.3" ] && continue
		mkdir "$WORK/copies/$i"
		cp "$(library_of libcrypto.so.3)" "$WORK/copies/$i/libcrypto.so.3"
	done
	read -r nr attach detach <<-END
	$("$BIN/probes" 17 "$(library_of libssl.so.3)" "$(library_of libcrypto.so.3)" \
		"$(library_of libgnutls.so.30)")
	END
	sample value probes.attach "$attach"
	sample value probes.nr "$nr"
	read -r nr attach detach <<-END
	$("$BIN/probes" 40 $(seq -f "$WORK/copies/%g/libcrypto.so.3" 8))
	END
	sample value probes.8 "$detach"
	read -r nr attach detach <<-END
	$("$BIN/probes" 40 $(seq -f "$WORK/copies/%g/libcrypto.so.3" 50))
	END
	sample value probes.50 "$detach"
}

group_calls()
{
	rounds calls "$ROUNDS_CALLS" hits_round
	rounds calls "$ROUNDS_CALLS" probes_round
	if command -v curl >"$WORK/which" && nginx_start; then
		run_keep >"$WORK/warm" && rounds calls "$ROUNDS_CALLS" calls_round
		nginx_stop
	else
		skip calls "no curl, or nginx did not start"
	fi
}
