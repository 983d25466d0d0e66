#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs that end by themselves: what is recorded is what strace counts, what the policy allows is
# enough for them, and nothing else is done.

load syscalls

# counts COMMAND...: as strace counts.
counts()
{
    needs strace
    record counts -- "$@"
    recorded_counts "$T/ours" counts
    strace_counts "$T/theirs" "$@"
    [ "$(wc -l <"$T/theirs")" -ge 10 ]
    diff -u "$T/theirs" "$T/ours"
}

@test "ls: counts as strace, both engines" {
    counts ls -lR /etc/ssl
    "$TOOL" syscalls record --quiet --engine ptrace -o "$T/ptrace.json" -- ls -lR /etc/ssl >"$OUT"
    recorded_counts "$T/second" ptrace
    diff -u "$T/theirs" "$T/second"
}

@test "sqlite: counts as strace" {
    needs sqlite3
    fresh='CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES (1); DROP TABLE t; VACUUM;'
    # The file is the same before each of the two.
    sqlite3 "$T/test.db" "$fresh"
    counts sqlite3 "$T/test.db" "$fresh"
}

@test "busybox, without a dynamic loader: counts as strace" {
    needs busybox
    counts busybox ls -l /etc/ssl
}

@test "dd: counts as strace" {
    counts dd if=/dev/zero of=/dev/null bs=1 count=5000
}

@test "ls complies with its policy, mkdir does not" {
    "$EXAMPLES/ls" "$T" >"$OUT"
    comply "$T/ls.policy" ls -la /etc/ssl
    comply "$T/ls.policy" ls /none /etc
    refused "$T/ls.policy" mkdir mkdir "$T/made"
    [ ! -e "$T/made" ]
    ruled "$T/ls.policy" --action kill -- mkdir "$T/made"
    must_be 159
    [ ! -e "$T/made" ]
}

@test "sqlite complies with its policy, its shell does not" {
    needs sqlite3
    "$EXAMPLES/sqlite" "$T" >"$OUT"
    comply "$T/sqlite.policy" sqlite3 "$T/other.db" \
        'CREATE TABLE IF NOT EXISTS x(a); DELETE FROM x; INSERT INTO x VALUES (1); SELECT count(*) FROM x;'
    refused "$T/sqlite.policy" vfork sqlite3 :memory: ".shell touch $T/made" ||
        refused "$T/sqlite.policy" clone3 sqlite3 :memory: ".shell touch $T/made" ||
        refused "$T/sqlite.policy" clone sqlite3 :memory: ".shell touch $T/made"
    [ ! -e "$T/made" ]
}

@test "busybox complies with its policy, and makes no directory" {
    needs busybox
    record busybox -- busybox ls -l /etc/ssl
    policy_of busybox
    comply "$T/busybox.policy" busybox ls -l /etc/ssl
    refused "$T/busybox.policy" mkdir busybox mkdir "$T/made"
    [ ! -e "$T/made" ]
}

@test "python with threads and processes complies, and makes no directory" {
    needs python3
    cat >"$T/work.py" <<'END'
import os, socket, subprocess, sys, threading
done = []
threads = [threading.Thread(target=done.append, args=(i,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
here, there = socket.socketpair()
there.send(b"over a socket")
print(sorted(done), here.recv(100).decode())
print(subprocess.run(["/bin/echo", "a child"], capture_output=True).stdout.decode().strip())
if len(sys.argv) > 1: os.mkdir(sys.argv[1])
END
    record python --runs 5 -- python3 "$T/work.py"
    policy_of python
    comply "$T/python.policy" python3 "$T/work.py"
    refused "$T/python.policy" mkdir python3 "$T/work.py" "$T/made"
    [ ! -e "$T/made" ]
    ruled "$T/python.policy" -- python3 "$T/work.py" "$T/made"
    must_be 1
    grep -q 'PermissionError' "$ERR"
}

@test "a policy of glibc, made portable, is enough for musl" {
    needs musl-gcc gcc
    cat >"$T/prog.c" <<'END'
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static void *run(void *x) { return x; }
int main(void)
{
	pthread_t t;
	int status;
	char c = 0;
	FILE *f = fopen("/etc/passwd", "r");
	pthread_create(&t, NULL, run, NULL);
	pthread_join(t, NULL);
	if (f) { c = (char)fgetc(f); fclose(f); }
	if (fork() == 0) _exit(3);
	wait(&status);
	printf("read %c, child %d\n", c, WEXITSTATUS(status));
	return 0;
}
END
    gcc -pthread -o "$T/glibc" "$T/prog.c"
    musl-gcc -static -pthread -o "$T/musl" "$T/prog.c"
    record glibc -- "$T/glibc"
    policy_of glibc --portable
    comply "$T/glibc.policy" "$T/musl"
    policy_of glibc --exact
    ruled "$T/glibc.policy" --action kill -- "$T/musl"
    must_be 159
}

@test "the examples: what is missing is said, and a folder may be relative" {
    needs sqlite3
    status=0
    "$EXAMPLES/ls" >"$OUT" 2>"$ERR" || status=$?
    must_be 2
    grep -q '^usage: .*/ls DIR' "$ERR"
    status=0
    CRYPTO_TRACER=$T/none "$EXAMPLES/ls" "$T/folder" >"$OUT" 2>"$ERR" || status=$?
    must_be 127
    grep -q "there is no '$T/none'" "$ERR"
    [ ! -e "$T/folder" ]
    cd "$T" || return 1
    "$EXAMPLES/sqlite" folder >"$OUT" 2>"$ERR"
    grep -qx "$T/folder/sqlite.json: 12 recordings; $T/folder/sqlite.policy" "$OUT"
    jq -e '.nodes | length' folder/sqlite.json >/dev/null
}
