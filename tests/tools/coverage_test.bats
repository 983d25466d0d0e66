#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tools/coverage counts what gcov counts, each line once, and fails when that is too little.

load ../support/needs

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# What `make coverage` compiles ("VARIANT") or links ("LDVARIANT") with.
flags()
{
    env -u MAKEFLAGS -u SAN make -s -C "$root" COVERAGE=1 --eval="print-flags: ; @echo \$($1)" print-flags
}

# A tree of two files that share a header; the program runs 5 of their 8 lines.
setup()
{
    needs gcov gcc
    cd "$BATS_TEST_TMPDIR" || return
    export TESTS_RUN=$root/tests/run
    mkdir -p src/lib src/cmd build/obj/lib build/obj/cmd build/tests
    cat >src/lib/shared.h <<'END'
static inline int shared(int x)
{
	return x + 1;
}
int half(int x);
END
    cat >src/lib/half.c <<'END'
#include "shared.h"
int half(int x)
{
	if (x < 0)
		return -half(-x);
	return shared(x) / 2;
}
END
    cat >src/cmd/never.c <<'END'
#include "../lib/shared.h"
int never(int x);
int never(int x)
{
	return shared(x);
}
END
    cat >main.c <<'END'
#include <stdio.h>
int half(int x);
int main(void)
{
	printf("1..1\n%s 1 - half\n", half(5) == 3 ? "ok" : "not ok");
	return half(5) != 3;
}
END
    build
}

build()
{
    gcc -O0 --coverage -c src/lib/half.c -o build/obj/lib/half.o
    gcc -O0 --coverage -c src/cmd/never.c -o build/obj/cmd/never.o
    gcc --coverage -o build/tests/half_test main.c build/obj/lib/half.o build/obj/cmd/never.o
}

coverage()
{
    run "$root/tools/coverage" "$@" build build/tests/half_test
    echo "$output"
}

@test "lines of each folder and of all, those of a header once" {
    coverage -m 60
    [ "$status" -eq 0 ]
    grep -qx '1 passed, 0 failed, 0 skipped' <<<"$output"
    # half() has 4 lines with code, one of which is not executed; shared() and never() have 2.
    grep -qE '^src/lib +5 +6 +83\.3 %$' <<<"$output"
    grep -qE '^src/cmd +0 +2 +0\.0 %$' <<<"$output"
    grep -qE '^src/lib/half\.c +3 +4 +75\.0 %$' <<<"$output"
    tail -n 1 <<<"$output" | grep -qE '^total +5 +8 +62\.5 %$'
    [ "$(wc -L <<<"$output")" -le 80 ]
}

@test "too little is a failure" {
    coverage -m 71
    [ "$status" -eq 1 ]
    [ "$(tail -n 1 <<<"$output")" = 'coverage: below 71 %' ]
}

@test "what earlier runs executed does not count" {
    coverage -m 60
    sed -i 's/half(5)/3/g; s/int half(int x);//' main.c
    build
    find build/obj -name '*.gcda' | grep -q .
    coverage -m 60
    [ "$status" -eq 1 ]
    grep -qE '^src/lib +0 +' <<<"$output"
}

@test "a test that fails is a failure, whatever it executed" {
    sed -i 's/== 3/== 4/; s/return half(5) != 3/return 1/' main.c
    build
    coverage -m 1
    [ "$status" -eq 1 ]
    grep -qx '0 passed, 1 failed, 0 skipped' <<<"$output"
    grep -q 'FAIL .*half' <<<"$output"
}

@test "a test that is skipped is named, with its reason" {
    sed -i 's/1\.\.1/1..2/; s/%s 1 - half\\n"/&\n\t       "ok 2 - rewind # SKIP no tape\\n"/' main.c
    build
    coverage -m 60
    [ "$status" -eq 0 ]
    grep -qx '1 passed, 0 failed, 1 skipped' <<<"$output"
    grep -qx '  half: rewind (no tape)' <<<"$output"
}

@test "a build without counts is an error that says what to do" {
    find build -name '*.gcno' -delete
    coverage
    [ "$status" -eq 1 ]
    [ "$output" = "coverage: no 'build/obj/*.gcno': build with 'make COVERAGE=1'" ]
    run "$root/tools/coverage"
    [ "$status" -eq 2 ]
}

# The child does what the tool's own do that are confined: no file can be had from it.
@test "what a child executes counts, however it ends" {
    local end compile link

    cat >main.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int half(int x);
int main(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		half(-5);
		LEAVE;
	}
	waitpid(pid, &status, 0);
	printf("1..1\nok 1 - half\n");
	return 0;
}
END
    ln -s "$root/tests" tests
    read -ra compile <<<"$(flags VARIANT)"
    read -ra link <<<"$(flags LDVARIANT)"
    gcc "${compile[@]}" -c src/lib/half.c -o build/obj/lib/half.o
    gcc "${compile[@]}" -c src/cmd/never.c -o build/obj/cmd/never.o
    for end in '_exit(0)' 'raise(SIGKILL)' 'execl("/bin/true", "true", NULL)'; do
        gcc "${compile[@]}" "${link[@]}" "-DLEAVE=$end" -o build/tests/half_test main.c \
            tests/support/counters.c build/obj/lib/half.o build/obj/cmd/never.o
        coverage -m 75
        [ "$status" -eq 0 ]
        grep -qE '^src/lib +6 +6 +100\.0 %$' <<<"$output"
        grep -qE '^src/cmd +0 +2 +0\.0 %$' <<<"$output"
    done
}
