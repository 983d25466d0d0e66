#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `syscalls patch` of servers: with one phase what strace saw, with several all of that before the
# point, and behind it nothing that only starting needs.

load helpers
load syscalls_patch
load ../support/nginx

SERVER=

teardown()
{
    # Workers outlive a master that is killed.
    [ -z "$SERVER" ] || descendants "$SERVER" | xargs -r kill -KILL 2>/dev/null || :
    server_end KILL || :
    common_teardown
}

# server_start COMMAND...: in the background; $SERVER.
server_start()
{
    "$@" >"$T/server.out" 2>"$T/server.err" </dev/null 3>&- &
    SERVER=$!
}

# server_end [SIGNAL]
server_end()
{
    [ -n "$SERVER" ] || return 0
    kill -s "${1:-TERM}" "$SERVER" 2>/dev/null || :
    wait_for 20 has_ended "$SERVER"
    status=0
    wait "$SERVER" || status=$?
    SERVER=
}

# descendants PID: it and all below, a line each.
descendants()
{
    local child children

    echo "$1"
    read -r -d '' -a children < <(cat "/proc/$1/task/"*/children 2>/dev/null) || :
    for child in "${children[@]}"; do descendants "$child"; done
}

# must_be_filtered PID NR: all its threads, under NR filters.
must_be_filtered()
{
    local seen

    seen=$(seccomp_of "$1" Seccomp)/$(seccomp_of "$1" Seccomp_filters)
    [ "$seen" = "2/$2" ] || { echo "process $1: '$seen', not '2/$2'"; return 1; }
}

# without FILE CALL...: the calls in $T/calls but these, all of which are there.
without()
{
    local file=$1 call

    shift
    for call; do grep -qx "$call" "$T/calls" || { echo "'$call' was not seen"; return 1; }; done
    grep -vxF "$(printf '%s\n' "$@")" "$T/calls" >"$file"
}

redis()
{
    redis-cli -s "$T/redis.socket" "$@" 2>&1
}

redis_answers()
{
    [ "$(redis ping)" = PONG ]
}

redis_start()
{
    server_start "$@" --port 0 --unixsocket "$T/redis.socket" --dir "$T" --save '' --daemonize no
    wait_for 20 redis_answers
}

redis_use()
{
    redis set a b
    redis get a
    redis lpush list 1 2 3
    redis lrange list 0 -1
    redis del a list
}

@test "redis: serves under its filter, and cannot fork" {
    needs redis-server redis-cli strace
    redis_start strace -f -qq -o "$T/strace" redis-server
    redis_use >"$T/plain"
    redis shutdown nosave || :
    server_end
    calls_in "$T/strace" >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/redis-server" "$(command -v redis-server)"
    redis_start "$T/redis-server"
    must_be_filtered "$SERVER" 1
    [ "$(find "/proc/$SERVER/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 4 ]
    redis_use | diff "$T/plain" -
    redis bgsave | grep -q '^ERR'
    grep -q 'fork: Operation not permitted' "$T/server.out"
    redis_answers
    server_end
    must_be 0

    # The same, listening and making threads no more once it is in its loop.
    without "$T/serving" bind listen clone3
    make_policy "$T/policy" kill "$T/calls" aeMain "$T/serving"
    patch_ok "$T/policy" "$T/redis-phased" "$(command -v redis-server)"
    grep -q 'install the next filter' "$ERR"
    redis_start "$T/redis-phased"
    must_be_filtered "$SERVER" 2
    redis_use | diff "$T/plain" -
    redis config set port 7999 || :
    wait_for 20 has_ended "$SERVER"
    server_end
    must_be 159
}

# nginx_prepare: with two workers, at $T/nginx.conf, and its page; its port is in $PORT.
nginx_prepare()
{
    PORT=$(free_port)
    nginx_config off 2
    echo 'a page' >"$T/www/page"
}

nginx_serves()
{
    [ "$(curl -s "http://127.0.0.1:$PORT/page")" = 'a page' ]
}

nginx_start()
{
    server_start "$@" -c "$T/nginx.conf" -e "$T/nginx.err"
    wait_for 20 nginx_serves
}

# nginx_workers PID: it has its two.
nginx_workers()
{
    [ "$(descendants "$1" | wc -l)" -eq 3 ]
}

# nginx_reload PID: until it has two new workers and none of the old ones.
nginx_reload()
{
    local old

    wait_for 20 nginx_workers "$1"
    old=$(descendants "$1" | tail -n +2)
    kill -HUP "$1"
    wait_for 20 nginx_has_new "$1" "$old"
}

nginx_has_new()
{
    nginx_workers "$1" && [ -z "$(comm -12 <(sort <<<"$2") <(descendants "$1" | sort))" ]
}

@test "nginx: workers inherit the filter, what is new is refused" {
    needs nginx curl strace
    nginx_prepare
    nginx_start strace -f -qq -o "$T/strace" nginx
    for path in page none; do curl -s -o "$T/$path.plain" "http://127.0.0.1:$PORT/$path"; done
    curl -s -o /dev/null -I "http://127.0.0.1:$PORT/page"
    nginx_reload "$(cat "$T/nginx.pid")"
    kill -TERM "$(cat "$T/nginx.pid")"
    server_end
    calls_in "$T/strace" >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/nginx" "$(command -v nginx)"
    nginx_start "$T/nginx"
    wait_for 10 nginx_workers "$SERVER"
    for process in $(descendants "$SERVER"); do must_be_filtered "$process" 1; done
    for path in page none; do curl -s "http://127.0.0.1:$PORT/$path" | cmp "$T/$path.plain" -; done
    nginx_reload "$SERVER"
    nginx_serves
    # A socket with a name would need chmod, which was never called.
    refute grep -qx chmod "$T/calls"
    sed -i "s,server {,server { listen unix:$T/socket;," "$T/nginx.conf"
    kill -HUP "$SERVER"
    wait_for 10 grep -q 'chmod() .*Operation not permitted' "$T/nginx.err"
    nginx_serves
    server_end
    must_be 0
}

@test "nginx: workers in their loop are filtered again, the master is when it waits" {
    needs nginx curl readelf
    readelf --dyn-syms -W "$(command -v nginx)" | grep -q ' ngx_process_events_and_timers$' ||
        skip "this nginx does not export where its loop is"
    nginx_prepare
    all_but >"$T/calls"
    without "$T/serving" bind listen execve ptrace
    make_policy "$T/policy" kill "$T/calls" ngx_process_events_and_timers "$T/serving"
    patch_ok "$T/policy" "$T/nginx" "$(command -v nginx)"
    nginx_start "$T/nginx"
    wait_for 10 nginx_workers "$SERVER"
    must_be_filtered "$SERVER" 1
    for worker in $(descendants "$SERVER" | tail -n 2); do
        wait_for 10 must_be_filtered "$worker" 2
    done
    # The point is passed with each event; the filter is installed once.
    for _ in {1..50}; do nginx_serves; done
    for worker in $(descendants "$SERVER" | tail -n 2); do must_be_filtered "$worker" 2; done
    server_end
    must_be 0
}

@test "postgres: the server under one filter, each backend under two" {
    local bin

    bin=$(find /usr/lib/postgresql -name initdb -printf '%h\n' -quit 2>/dev/null) || :
    [ -n "$bin" ] || skip "postgres is not installed"
    needs setpriv strace
    as=(setpriv --reuid postgres --regid postgres --clear-groups)
    mkdir -m 700 "$T/base"
    chown postgres "$T/base"
    chmod 711 "$T"
    "${as[@]}" "$bin/initdb" -D "$T/base" -A trust --no-sync >"$T/initdb.out" 2>&1
    # An executable beside the others: it looks for its files from there.
    ask=("${as[@]}" "$bin/psql" -X -A -t -h "$T/base" -U postgres)
    postgres_use()
    {
        "${ask[@]}" -c 'create table t(a int)' -c 'insert into t select generate_series(1, 1000)' \
            -c 'select sum(a) from t' -c 'checkpoint' -c 'drop table t'
    }
    postgres_start()
    {
        # strace has to be in front of the program, not of who starts it as another user.
        server_start "${as[@]}" "$@" -D "$T/base" -k "$T/base" -c listen_addresses=
        wait_for 20 "$bin/pg_isready" -q -h "$T/base"
    }
    : >"$T/strace"
    chown postgres "$T/strace"
    postgres_start strace -f -qq -o "$T/strace" "$bin/postgres"
    postgres_use >"$T/plain"
    kill -TERM "$(head -n 1 "$T/base/postmaster.pid")"
    server_end
    grep -qx 500500 "$T/plain"
    calls_in "$T/strace" >"$T/calls"

    without "$T/backend" bind listen
    make_policy "$T/policy" errno "$T/calls" PostgresMain "$T/backend"
    patch_ok "$T/policy" "$T/postgres" "$bin/postgres"
    postgres_start "$T/postgres"
    postgres_use | diff "$T/plain" -
    must_be_filtered "$SERVER" 1
    "${ask[@]}" -c "select pg_read_file('/proc/self/status')" | grep -qP '^Seccomp_filters:\t2$'
    # A program in the server's name.
    refute "${ask[@]}" -c "copy (select 1) to program 'touch $T/base/made'" 2>"$ERR"
    [ ! -e "$T/base/made" ]
    server_end
    must_be 0
}
