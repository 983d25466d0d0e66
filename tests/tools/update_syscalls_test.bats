#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tools/update-syscalls: the tables that it makes of kernel headers, made up and real; and that the
# tables of the repository are what this host's C library says.

load ../support/needs

setup()
{
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    T=$BATS_TEST_TMPDIR
    needs cc
    mkdir "$T/out"
}

update()
{
    "$root/tools/update-syscalls" "$@" >"$T/said" 2>&1
}

# version DIR: a kernel's version in the headers below DIR.
version()
{
    mkdir -p "$1/linux"
    cat >"$1/linux/version.h" <<'END'
#define LINUX_VERSION_CODE 396305
#define LINUX_VERSION_MAJOR 6
#define LINUX_VERSION_PATCHLEVEL 12
#define LINUX_VERSION_SUBLEVEL 17
END
}

# x86 DIR: headers as x86 has them, in DIR/asm.
x86()
{
    mkdir -p "$1/asm"
    printf '#define __NR_write 1\n#define __NR_read 0\n#define __NR_open_2 300\n' \
        >"$1/asm/unistd_64.h"
    printf '#define __NR_restart_syscall 0\n#define __NR_exit 1\n#define __NR_syscalls 2\n' \
        >"$1/asm/unistd_32.h"
    printf '#define __NR_read (__X32_SYSCALL_BIT + 0)\n%s\n' \
        '#define __NR_ioctl (__X32_SYSCALL_BIT + 514)' >"$1/asm/unistd_x32.h"
}

# arm64 DIR INCLUDE: headers as arm64 had them until Linux 6.11, which took the generic ones.
arm64()
{
    mkdir -p "$1/asm" "$2/asm-generic"
    echo '#define __BITS_PER_LONG 64' >"$1/asm/bitsperlong.h"
    : >"$1/asm/sve_context.h"
    cat >"$1/asm/unistd.h" <<'END'
#define __ARCH_WANT_RENAMEAT
#include <asm-generic/unistd.h>
END
    cat >"$2/asm-generic/unistd.h" <<'END'
#include <asm/bitsperlong.h>
#define __SYSCALL(x, y)
#define __NR_io_setup 0
__SYSCALL(__NR_io_setup, sys_io_setup)
#ifdef __ARCH_WANT_RENAMEAT
#define __NR_renameat 38
#endif
#ifdef __ARCH_WANT_NOTHING
#define __NR_nothing 39
#endif
#define __NR3264_fcntl 25
#if __BITS_PER_LONG == 64
#define __NR_fcntl __NR3264_fcntl
#else
#define __NR_fcntl64 __NR3264_fcntl
#endif
#define __NR_arch_specific_syscall 244
#define __NR_syscalls 40
END
}

# calls FILE: its lines, without the comment and the end.
calls()
{
    grep '^SYSCALL' "$1"
}

@test "made up headers of Debian's layout: numbers, sums, generic names, the version" {
    version "$T/h/usr/include"
    x86 "$T/h/usr/include/x86_64-linux-gnu"
    arm64 "$T/h/usr/include/aarch64-linux-gnu" "$T/h/usr/include"
    update "$T/h" "$T/out"
    [ "$(calls "$T/out/syscalls_x86_64.def")" = \
        "$(printf 'SYSCALL(0, read)\nSYSCALL(1, write)\nSYSCALL(300, open_2)')" ]
    [ "$(calls "$T/out/syscalls_i386.def")" = \
        "$(printf 'SYSCALL(0, restart_syscall)\nSYSCALL(1, exit)')" ]
    [ "$(calls "$T/out/syscalls_x32.def")" = \
        "$(printf 'SYSCALL(0, read)\nSYSCALL(514, ioctl)')" ]
    [ "$(calls "$T/out/syscalls_arm64.def")" = \
        "$(printf 'SYSCALL(0, io_setup)\nSYSCALL(25, fcntl)\nSYSCALL(38, renameat)')" ]
    [ "$(grep -l 'Linux 6.12.17' "$T/out"/*.def | wc -l)" -eq 4 ]
    [ "$(head -qn 1 "$T/out"/*.def | sort -u)" = '/* SPDX-License-Identifier: MIT */' ]
    [ "$(tail -qn 1 "$T/out"/*.def | sort -u)" = '#undef SYSCALL' ]
}

@test "made up headers of make headers_install: one architecture, the others are left and named" {
    version "$T/h/include"
    x86 "$T/h/include"
    echo kept >"$T/out/syscalls_arm64.def"
    update "$T/h" "$T/out"
    grep -qx 'update-syscalls: no headers of arm64' "$T/said"
    [ "$(cat "$T/out/syscalls_arm64.def")" = kept ]
    [ "$(calls "$T/out/syscalls_x32.def" | wc -l)" -eq 2 ]
}

@test "the same headers give the same files" {
    version "$T/h"
    x86 "$T/h/x86"
    update "$T/h" "$T/out"
    cp -r "$T/out" "$T/first"
    update "$T/h/" "$T/out"
    diff -r "$T/first" "$T/out"
}

@test "headers that are none change nothing" {
    mkdir "$T/h"
    run "$root/tools/update-syscalls" "$T/h" "$T/out"
    [ "$status" -eq 1 ]
    version "$T/h"
    run "$root/tools/update-syscalls" "$T/h" "$T/out"
    [ "$status" -eq 1 ]
    mkdir -p "$T/h/x86/asm"
    echo '#define NOTHING 1' >"$T/h/x86/asm/unistd_64.h"
    run "$root/tools/update-syscalls" "$T/h" "$T/out"
    [ "$status" -eq 1 ]
    [[ $output == *"has no calls"* ]]
    [ -z "$(ls "$T/out")" ]
    run "$root/tools/update-syscalls" "$T/missing" "$T/out"
    [ "$status" -eq 2 ]
}

@test "the tables of the repository are as they were made: sorted, each number and name once" {
    local file

    for file in "$root"/src/syscalls/syscalls_*.def; do
        grep -q 'Linux [0-9]*[.][0-9]*[.][0-9]* has them' "$file"
        calls "$file" | grep -qvE '^SYSCALL\([0-9]+, [a-z0-9_]+\)$' && return 1
        calls "$file" | sed 's/[^0-9]*\([0-9]*\).*/\1/' >"$T/numbers"
        sort -n -u "$T/numbers" | cmp - "$T/numbers"
        [ -z "$(calls "$file" | sed 's/.*, //' | sort | uniq -d)" ]
        [ "$(wc -l <"$T/numbers")" -gt 300 ]
    done
    [ "$(find "$root/src/syscalls" -name 'syscalls_*.def' | wc -l)" -eq 4 ]
}

# A C library older than the tables has fewer; none has a number that they have otherwise.
@test "every SYS_ of this host's C library has that number in the table of this machine" {
    local arch

    case $(uname -m) in
    x86_64) arch=x86_64 ;;
    aarch64) arch=arm64 ;;
    *) skip "no table for $(uname -m)" ;;
    esac
    echo '#include <sys/syscall.h>' | cc -E -dM - |
        sed -n 's/^#define SYS_\([a-z0-9_]*\) __NR_.*/\1/p' | sort >"$T/names"
    [ "$(wc -l <"$T/names")" -gt 250 ]
    {
        echo '#include <sys/syscall.h>'
        sed 's/.*/@SYSCALL(SYS_&, &_)/' "$T/names"
    } | cc -E -P - | sed -n 's/^@\(SYSCALL(.*\)_)$/\1)/p' | sort >"$T/theirs"
    [ "$(wc -l <"$T/theirs")" -eq "$(wc -l <"$T/names")" ]
    calls "$root/src/syscalls/syscalls_$arch.def" | sort >"$T/ours"
    [ -z "$(comm -23 "$T/theirs" "$T/ours")" ] || {
        comm -23 "$T/theirs" "$T/ours"
        return 1
    }
}

# The headers of this host: what the tables have of that age is the same.
@test "the kernel headers of this host agree with the tables" {
    local file missing

    [ -f /usr/include/linux/version.h ] || skip "no kernel headers"
    update /usr "$T/out"
    [ -n "$(ls "$T/out")" ]
    for file in "$T/out"/*.def; do
        calls "$file" | sort >"$T/theirs"
        calls "$root/src/syscalls/$(basename "$file")" | sort >"$T/ours"
        missing=$(comm -23 "$T/theirs" "$T/ours")
        [ -z "$missing" ] || { echo "$missing"; return 1; }
    done
}
