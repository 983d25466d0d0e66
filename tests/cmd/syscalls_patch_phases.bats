#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `syscalls patch` with several phases: tests/programs/phased.c tells how many filters it has where.

load helpers
load syscalls_patch

setup()
{
    patch_setup
    all_but >"$T/all"
    all_but rename >"$T/some"
    all_but rename mkdir >"$T/fewer"
}

# phased OUT [POINT CALLS]...: a copy of phased with these phases after the first.
phased()
{
    local copy=$1

    shift
    make_policy "$T/policy" "${ACTION:-errno}" "$T/all" "$@"
    patch_ok "$T/policy" "$copy" "$PROGRAMS/phased"
}

# must_tell TEXT ARG...: what the copy prints, lines joined by commas.
must_tell()
{
    local wanted=$1 told

    shift
    told=$("$T/copy" "$@" 2>"$ERR" | paste -sd,)
    [ "$told" = "$wanted" ] || { echo "told '$told', not '$wanted': $(cat "$ERR")"; return 1; }
}

@test "a phase begins once, in order, and never goes back" {
    phased "$T/copy" first_point "$T/some" second_point "$T/fewer"
    must_tell 'before 1,behind 2,again 2,second 3,again 3' again
    must_tell 'second 2,first 2' back
}

@test "what a phase does not allow is refused from its point on" {
    phased "$T/copy" first_point "$T/some"
    must_tell 'before No such file or directory,behind Operation not permitted' rename
    ACTION="kill" phased "$T/killed" first_point "$T/some"
    status=0
    "$T/killed" rename >"$OUT" || status=$?
    must_be 159
}

@test "threads that come together: all filtered, once" {
    phased "$T/copy" first_point "$T/some"
    for _ in {1..40}; do
        must_tell "$(printf '2,%.0s' {1..31})2" threads 32
    done
    # In the last phase another attempt would kill.
    ACTION="kill" phased "$T/killed" first_point "$T/some"
    for _ in {1..40}; do
        [ "$("$T/killed" threads 32 | sort | uniq -c | tr -s ' ')" = ' 32 2' ]
    done
}

@test "children inherit, with fork and with vfork, and give nothing back" {
    phased "$T/copy" first_point "$T/some"
    must_tell 'before 1,child 2,grandchild 2,parent 1,behind 2' fork
    must_tell 'before 1,child 2,parent 1,behind 2' vfork
}

@test "registers, flags, the red zone and vectors are as they were" {
    phased "$T/copy" registers_point "$T/some"
    must_tell 'kept 2' registers
    [ "$("$PROGRAMS/phased" registers)" = 'kept 0' ]
}

@test "the copy executes itself, in its phase" {
    phased "$T/copy" first_point "$T/some"
    must_tell 'executed 4' exec 3
}

@test "another thread's own filter ends the program: it cannot be filtered" {
    phased "$T/copy" first_point "$T/some"
    status=0
    "$T/copy" own >"$OUT" 2>"$ERR" || status=$?
    must_be 137
    [ "$(cat "$OUT")" = 'before 1' ]
    grep -qE 'this program ends: there is another one in thread [0-9]+$' "$ERR"
}

@test "a lock that a fork has left behind delays, no more" {
    needs readelf
    phased "$T/copy" first_point "$T/some"
    at=$(readelf -SW "$T/copy" | awk '$0 ~ /\.crypto-tracer\.data/ { sub(/.*PROGBITS */, ""); print $2 }')
    printf '\001' | dd of="$T/copy" bs=1 seek=$((16#$at)) conv=notrunc status=none
    # Nobody has it: who has waited long enough goes on, and two may do so at once. A filter that is
    # there twice changes nothing.
    "$T/copy" threads 4 >"$OUT"
    [ "$(grep -cx '[2-5]' "$OUT")" -eq 4 ]
}

@test "a point as an offset, in programs of both kinds" {
    needs gcc nm
    for flags in -pie -no-pie; do
        gcc -D_GNU_SOURCE -std=gnu11 -O1 "$flags" -fPIE -o "$T/phased$flags" "$ROOT/tests/programs/phased.c" -lpthread
        address=$((16#$(nm "$T/phased$flags" | awk '$3 == "first_point" { print $1 }')))
        [ "$flags" = -pie ] || address=$((address - 0x400000))
        strip "$T/phased$flags"
        make_policy "$T/policy" errno "$T/all" "$T/phased$flags:$(printf '0x%x' "$address")" "$T/some"
        patch_ok "$T/policy" "$T/copy$flags" "$T/phased$flags"
        [ "$("$T/copy$flags" again | paste -sd,)" = 'before 1,behind 2,again 2,second 2,again 2' ]
    done
}

@test "points that are none of its code are refused: events, other files, data, middles" {
    for point in first:epoll_wait signal:USR1 auto; do
        make_policy "$T/policy" errno "$T/all" "$point" "$T/some"
        patch_refused "$T/policy" "$PROGRAMS/phased" "phase 1, '$point', can begin: that is an event"
    done
    make_policy "$T/policy" errno "$T/all" "$PROGRAMS/puppet:main" "$T/some"
    patch_refused "$T/policy" "$PROGRAMS/phased" 'that is in another file'
    make_policy "$T/policy" errno "$T/all" no_such_function "$T/some"
    patch_refused "$T/policy" "$PROGRAMS/phased" "phase 1, 'no_such_function', can begin: "
    address=$(nm "$PROGRAMS/phased" | awk '$3 == "first_point" { print $1 }')
    make_policy "$T/policy" errno "$T/all" "$PROGRAMS/phased:$(printf '0x%x' $((16#$address + 1)))" "$T/some"
    patch_refused "$T/policy" "$PROGRAMS/phased" 'can begin: .*instruction'
    make_policy "$T/policy" errno "$T/all" first_point "$T/some" first_point "$T/fewer"
    patch_refused "$T/policy" "$PROGRAMS/phased" 'another phase begins there|the same as'
    printf '%s\n' '.globl main' '.type main, @function' '.type f, @function' \
        '.type g, @function' 'g: .cfi_startproc' 'push %rbx' 'call f' 'pop %rbx' 'ret' '.cfi_endproc' \
        '.size g, . - g' \
        'f: .cfi_startproc' 'xor %eax, %eax' 'ret' '.cfi_endproc' '.size f, . - f' \
        'main: .cfi_startproc' '1: dec %edi' 'nop' 'jnz 1b' 'call f' 'ret' '.cfi_endproc' '.size main, . - main' \
        '.section .note.GNU-stack, "", @progbits' >"$T/short.S"
    needs gcc
    gcc -o "$T/short" "$T/short.S"
    make_policy "$T/policy" errno "$T/all" f "$T/some"
    patch_refused "$T/policy" "$T/short" 'no room for a jump'
    make_policy "$T/policy" errno "$T/all" g "$T/some"
    patch_refused "$T/policy" "$T/short" 'cannot be executed elsewhere'
    make_policy "$T/policy" errno "$T/all" main "$T/some"
    patch_ok "$T/policy" "$T/short-main" "$T/short"
    "$T/short-main"
}

@test "64 points" {
    needs gcc
    {
        echo '#include <stdio.h>'
        for i in {1..64}; do echo "__attribute__((noinline)) void point$i(void) { static volatile int n; n += $i; }"; done
        echo 'int main(void) {'
        for i in {1..64}; do echo "point$i();"; done
        echo 'char line[256]; FILE *f = fopen("/proc/self/status", "r");'
        echo 'while (fgets(line, sizeof line, f)) fputs(line, stdout); return 0; }'
    } >"$T/many.c"
    gcc -O1 -o "$T/many" "$T/many.c"
    phases=()
    for i in {1..64}; do phases+=("point$i" "$T/some"); done
    make_policy "$T/policy" errno "$T/all" "${phases[@]}"
    patch_ok "$T/policy" "$T/copy" "$T/many"
    "$T/copy" >"$OUT"
    grep -qP '^Seccomp_filters:\t65$' "$OUT"
}
