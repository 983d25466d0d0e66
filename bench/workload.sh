# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# Groups nginx, sqlite and make: what programs lose while they are monitored. Sourced by bench/run.

# A busy server never makes all of its requests of one kind: both are measured.
NGINX_PORT=18443
WRK_SECONDS=1
SQLITE_RUNS=40
SQLITE_TRANSACTIONS=200

nginx_pid=

nginx_config()
{
	cat <<-END
	daemon off;
	master_process off;
	pid $WORK/nginx.pid;
	error_log $WORK/nginx.err;
	user root;
	events { worker_connections 512; }
	http {
		access_log off;
		keepalive_requests 1000000;
		client_body_temp_path $WORK/nginx-tmp;
		proxy_temp_path $WORK/nginx-tmp;
		fastcgi_temp_path $WORK/nginx-tmp;
		uwsgi_temp_path $WORK/nginx-tmp;
		scgi_temp_path $WORK/nginx-tmp;
		server {
			listen 127.0.0.1:$NGINX_PORT;
			listen 127.0.0.1:$((NGINX_PORT + 1)) ssl;
			ssl_certificate $FILES/a.pem;
			ssl_certificate_key $WORK/server.key;
			root $WORK/www;
		}
	}
	END
}

nginx_start()
{
	mkdir -p "$WORK/www" "$WORK/nginx-tmp"
	head -c 1024 /dev/zero | tr '\0' x >"$WORK/www/page"
	for NGINX_PORT in 18443 28443 38443; do
		nginx_config >"$WORK/nginx.conf"
		taskset -c "$LOAD_CPU" nginx -c "$WORK/nginx.conf" 2>>"$WORK/nginx.err" &
		nginx_pid=$!
		sleep 0.5
		! kill -0 "$nginx_pid" 2>/dev/null || return 0
	done
	say "nginx did not start: $(tail -n 1 "$WORK/nginx.err")"
	nginx_pid=
	return 1
}

nginx_stop()
{
	[ -n "$nginx_pid" ] || return 0
	kill "$nginx_pid" 2>/dev/null || :
	wait "$nginx_pid" 2>/dev/null || :
	nginx_pid=
}

# wrk_run URL: ns a request, lower quartile of blocks of requests
wrk_run()
{
	taskset -c "$TOOL_CPU" wrk -t1 -c16 -d"$WRK_SECONDS" -s "$BENCH/wrk.lua" "$1" |
		awk '$1 == "block" { print $2 }' | sort -g |
		awk '{ ns[NR] = $1 } END { if (NR > 0) print ns[int((NR + 3) / 4)]; exit NR == 0 }'
}

run_http()
{
	wrk_run "http://127.0.0.1:$NGINX_PORT/page"
}

run_https()
{
	wrk_run "https://127.0.0.1:$((NGINX_PORT + 1))/page"
}

# Each transaction makes, syncs and removes a journal; in memory, so that no disk adds its noise.
run_sqlite()
{
	rm -f "$OUT/write.db"
	"$BIN/load" time "$SQLITE_RUNS" taskset -c "$LOAD_CPU" \
		sqlite3 "$OUT/write.db" ".read $WORK/write.sql"
}

sqlite_script()
{
	echo 'CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, name TEXT);'
	awk -v n="$SQLITE_TRANSACTIONS" 'BEGIN {
		for (i = 1; i <= n; i++)
			printf "INSERT INTO t (name) VALUES (\047row %d of the write load\047);\n", i
	}'
}

run_make()
{
	rm -rf "$WORK/build"
	MAKEFLAGS='' "$BIN/load" time 1 make -s -C "$ROOT" -j2 BUILD="$WORK/build" all 2>"$WORK/make.err" |
		tail -n 1
}

workload_alone()
{
	figure=$("run_$pair_name")
}

workload_traced()
{
	tracer_start "$pair_tracer" "$OUT/workload" || return 1
	figure=$("run_$pair_name") || figure=
	tracer_stop || return 1
	sample_lifetime
	[ -n "$figure" ]
}

# workload_pair KEY TRACER NAME: workload NAME without and with TRACER
workload_pair()
{
	pair_tracer=$2 pair_name=$3
	compare "$1" workload_alone workload_traced
}

# workload_round NAME: A B A C. What the empty program costs is the least that any hook there can.
# A build is long and makes few system calls, it goes without.
workload_round()
{
	workload_pair "load.$1" "$TOOL_NAME" "$1" || return 1
	[ "$1" = make ] || workload_pair "floor.$1" empty-exit "$1"
}

# workload KEY GROUP ROUNDS: one run before is not counted, it fills the caches.
workload()
{
	"run_$1" >"$WORK/warm" && rounds "$2" "$3" workload_round "$1"
}

group_nginx()
{
	if nginx_start; then
		workload http nginx "$ROUNDS_NGINX" || skip load.http "failed"
		workload https nginx "$ROUNDS_NGINX" || skip load.https "failed"
		nginx_stop
	else
		skip nginx "did not start"
	fi
}

group_sqlite()
{
	sqlite_script >"$WORK/write.sql"
	workload sqlite sqlite "$ROUNDS_SQLITE" || skip load.sqlite "failed"
}

group_make()
{
	workload make make "$ROUNDS_MAKE" || skip load.make "failed: $(tail -n 1 "$WORK/make.err")"
}
