#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Servers in phases: what they need to start is more than what they need to serve.

load syscalls
load ../support/nginx

# serve POLICY COMMAND...: a server under its policy, in the background: $SERVER.
serve()
{
    local policy=$1

    shift
    "$TOOL" syscalls run --quiet --policy "$policy" "$@" >"$T/server.out" 2>"$T/server.err" </dev/null 3>&- &
    SERVER=$!
}

serve_end()
{
    kill -TERM "$SERVER"
    wait_for 20 has_ended "$SERVER"
    status=0
    wait "$SERVER" || status=$?
    SERVER=
}

redis()
{
    redis-cli -s "$REDIS_SOCKET" "$@" 2>&1
}

answers()
{
    [ "$(redis ping)" = PONG ]
}

redis_serve()
{
    REDIS_SOCKET=$T/redis.socket
    export REDIS_SOCKET
    serve "$@" -- redis-server --port 0 --unixsocket "$REDIS_SOCKET" --dir "$T" --save '' --daemonize no
    wait_for 20 answers
}

@test "redis: starts with 40-odd calls, serves with fewer than 25, and cannot fork" {
    needs redis-server redis-cli redis-benchmark
    "$EXAMPLES/redis" "$T" >"$OUT" 2>"$ERR"
    [ "$(phase_calls redis 0 | wc -l)" -ge 40 ]
    [ "$(phase_calls redis 1 | wc -l)" -le 25 ]
    redis_serve "$T/redis.policy"
    server=$(redis info server | tr -d '\r' | sed -n 's/^process_id://p')
    # Every thread has both filters, and nobody follows it.
    [ "$(seccomp_of "$server" Seccomp | sort -u)" = 2 ]
    [ "$(seccomp_of "$server" Seccomp_filters | sort -u)" = 2 ]
    [ "$(sed -n 's/^TracerPid:[[:space:]]*//p' "/proc/$server/status")" = 0 ]
    redis-benchmark -s "$REDIS_SOCKET" -n 2000 -c 20 -q -t set,get,lpush,incr >"$T/benchmark"
    [ "$(tr '\r' '\n' <"$T/benchmark" | grep -c 'requests per second, p50')" -ge 4 ]
    redis set a b | grep -qx OK
    redis get a | grep -qx b
    redis bgsave | grep -q ERR
    wait_for 10 grep -q "Can't save in background: fork: Operation not permitted" "$T/server.out"
    answers
    serve_end
    must_be 0
}

@test "redis: what it may not do ends it, where another call kills" {
    needs redis-server redis-cli redis-benchmark
    "$EXAMPLES/redis" "$T" >"$OUT" 2>"$ERR"
    redis_serve "$T/redis.policy" --action kill
    redis set a b | grep -qx OK
    redis bgsave || :
    wait_for 20 has_ended "$SERVER"
    status=0
    wait "$SERVER" || status=$?
    SERVER=
    must_be 159
}

@test "redis: verify names what a save would need" {
    needs redis-server redis-cli redis-benchmark
    "$EXAMPLES/redis" "$T" >"$OUT" 2>"$ERR"
    REDIS_SOCKET=$T/redis.socket
    export REDIS_SOCKET
    cat >"$T/drive" <<'END'
#!/bin/sh
for _ in $(seq 600); do [ "$(redis-cli -s "$REDIS_SOCKET" ping 2>&1)" != PONG ] || break; sleep 0.1; done
redis-cli -s "$REDIS_SOCKET" set a b
redis-cli -s "$REDIS_SOCKET" bgsave
END
    chmod +x "$T/drive"
    status=0
    "$TOOL" syscalls verify --quiet --format json --policy "$T/redis.policy" -o "$T/refused.json" --drive "$T/drive" \
        -- redis-server --port 0 --unixsocket "$REDIS_SOCKET" --dir "$T" --save '' --daemonize no \
        >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 10
    jq -e 'any(.refused[]; (.name | test("^(clone3?|v?fork)$")) and .phase == 1)' "$T/refused.json"
}

# nginx_prepare: with two workers, at $T/nginx.conf, and its page; its port is in $PORT. $T/drive asks
# for what it has and has not.
nginx_prepare()
{
    PORT=$(free_port)
    nginx_config off 2
    echo 'a page' >"$T/www/page"
    cat >"$T/drive" <<END
#!/bin/sh
for i in 1 2 3 4 5 6 7 8 9 10; do
    curl -s -o /dev/null http://127.0.0.1:$PORT/page
    curl -s -o /dev/null http://127.0.0.1:$PORT/none
    curl -s -o /dev/null -I http://127.0.0.1:$PORT/page
done
END
    chmod +x "$T/drive"
}

serves_page()
{
    [ "$(curl -s "http://127.0.0.1:$PORT/page")" = 'a page' ]
}

@test "nginx: the workers serve in the last phase, the page is the same" {
    needs nginx curl
    nginx_prepare
    record nginx --phase auto --drive "$T/drive" -- nginx -c "$T/nginx.conf"
    must_be 0
    [ "$(phase_calls nginx 1 | wc -l)" -lt "$(phase_calls nginx 0 | wc -l)" ]
    policy_of nginx
    serve "$T/nginx.policy" -- nginx -c "$T/nginx.conf"
    wait_for 20 serves_page
    for _ in $(seq "$COMPLY_RUNS"); do serves_page; done
    master=$(cat "$T/nginx.pid")
    workers=$(cat "/proc/$master/task/$master/children")
    [ "$(wc -w <<<"$workers")" -eq 2 ]
    for worker in $workers; do
        [ "$(seccomp_of "$worker" Seccomp_filters | sort -u)" = 2 ]
        [ "$(sed -n 's/^TracerPid:[[:space:]]*//p' "/proc/$worker/status")" = 0 ]
    done
    serve_end
    must_be 0
}

@test "postgres: initdb, the server and its clients comply" {
    local bin

    bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' -quit 2>/dev/null) || :
    [ -n "$bin" ] || skip "postgres is not installed"
    needs setpriv
    mkdir -m 700 "$T/base"
    chown postgres "$T/base"
    chmod 711 "$T"
    as=(setpriv --reuid postgres --regid postgres --clear-groups)
    record initdb -- "${as[@]}" "$bin/initdb" -D "$T/base" -A trust --no-sync
    must_be 0
    policy_of initdb
    rm -rf "$T/base"
    mkdir -m 700 "$T/base"
    chown postgres "$T/base"
    ruled "$T/initdb.policy" --action kill -- "${as[@]}" "$bin/initdb" -D "$T/base" -A trust --no-sync
    must_be 0
    cat >"$T/drive" <<END
#!/bin/sh
for _ in \$(seq 600); do
    ! "$bin/pg_isready" -q -h "$T/base" || break
    sleep 0.1
done
"$bin/pgbench" -h "$T/base" -U postgres -i -q postgres
"$bin/pgbench" -h "$T/base" -U postgres -c 4 -t 20 postgres
"$bin/psql" -h "$T/base" -U postgres -c 'CHECKPOINT' postgres
END
    chmod +x "$T/drive"
    server=("${as[@]}" "$bin/postgres" -D "$T/base" -k "$T/base" -c listen_addresses=)
    record postgres --phase "$bin/postgres:PostgresMain" --drive "$T/drive" -- "${server[@]}"
    must_be 0
    jq -e '[.nodes[] | select(.phase == 1)] | length >= 1' "$T/postgres.json"
    policy_of postgres
    serve "$T/postgres.policy" -- "${server[@]}"
    "$T/drive" >"$T/bench" 2>&1
    grep -q 'number of transactions actually processed: 80/80' "$T/bench"
    serve_end
    must_be 0
}

# Of the names on standard input those that are the program's own: where somebody probes a library
# uretprobe and uprobe are made, too, which strace may not know by name.
own_calls()
{
    grep -vxE 'u(ret)?probe|syscall_0x1(4f|50)'
}

# same_set NAME COMMAND...: what was recorded to $T/NAME.json and what strace sees of COMMAND, which
# $T/drive uses and which is then told to end, are the same calls.
same_set()
{
    local name=$1 tracer

    shift
    strace -f -qq -o "$T/strace" "$@" >"$T/strace.out" 2>&1 </dev/null 3>&- &
    tracer=$!
    SERVER=$tracer
    "$T/drive" >"$T/driven" 2>&1
    kill -TERM "$(cat "/proc/$tracer/task/$tracer/children")"
    wait_for 20 has_ended "$tracer"
    wait "$tracer" || :
    SERVER=
    # strace itself executes it, and what it stops is restarted.
    sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' "$T/strace" | sort -u | own_calls |
        grep -vxE 'execve|restart_syscall' >"$T/theirs"
    recorded_counts "$T/counts" "$name"
    cut -d ' ' -f 1 "$T/counts" | sort -u | own_calls | grep -vxE 'execve|restart_syscall' >"$T/ours"
    [ "$(wc -l <"$T/theirs")" -ge 30 ]
    diff -u "$T/theirs" "$T/ours"
}

# first_thread_serves NAME: what COMMAND's first thread calls in later phases.
first_thread_serves()
{
    jq -r '.nodes as $nodes | def own: .start != "thread" and (.parent == null or ($nodes[.parent] | own));
        [.nodes[] | select(.phase > 0 and own) | .calls[].name] | unique[]' "$T/$1.json"
}

@test "redis: the calls that strace sees, as many by name as by offset, both engines" {
    needs redis-server redis-cli strace readelf
    REDIS_SOCKET=$T/redis.socket
    export REDIS_SOCKET
    cat >"$T/drive" <<'END'
#!/bin/sh
for _ in $(seq 600); do [ "$(redis-cli -s "$REDIS_SOCKET" ping 2>&1)" != PONG ] || break; sleep 0.1; done
for i in 1 2 3 4 5; do redis-cli -s "$REDIS_SOCKET" set a "$i"; redis-cli -s "$REDIS_SOCKET" get a; done
sleep 2
END
    chmod +x "$T/drive"
    server=(redis-server --port 0 --unixsocket "$REDIS_SOCKET" --dir "$T" --save '' --daemonize no)
    binary=$(readlink -f "$(command -v redis-server)")
    record named --phase aeMain --drive "$T/drive" -- "${server[@]}"
    must_be 0
    same_set named "${server[@]}"
    # The offset in the file of what its dynamic symbols call aeMain.
    address=$((16#$(readelf -W --dyn-syms "$binary" | awk '$8 == "aeMain" { print $2 }')))
    offset=
    while read -r _ at start _ size _; do
        [ $((address - start)) -lt 0 ] || [ $((address - start)) -ge $((size)) ] ||
            offset=$(printf '0x%x' $((address - start + at)))
    done < <(readelf -lW "$binary" | grep -E '^ +LOAD .* E +0x')
    [ -n "$offset" ]
    record offset --engine ptrace --phase "$binary:$offset" --drive "$T/drive" -- "${server[@]}"
    must_be 0
    phase_calls named 0 | own_calls >"$T/by-name"
    phase_calls offset 0 | own_calls >"$T/by-offset"
    diff -u "$T/by-name" "$T/by-offset"
    # Its other threads may have begun to run before the point or after it.
    first_thread_serves named | own_calls >"$T/by-name"
    first_thread_serves offset | own_calls >"$T/by-offset"
    [ "$(wc -l <"$T/by-name")" -ge 5 ]
    diff -u "$T/by-name" "$T/by-offset"
    [ "$(phase_calls named 1 | wc -l)" -lt "$(phase_calls named 0 | wc -l)" ]
}
