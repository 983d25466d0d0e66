#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tools/update-arguments: what it makes of prototypes, and that the table in the tree is such.

bats_require_minimum_version 1.5.0

load ../support/needs

setup()
{
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    T=$BATS_TEST_TMPDIR
    needs python3
}

# The kinds of the arguments of call $1.
kinds_of()
{
    sed -n "s/^ARGUMENTS($1, \"\(.*\)\")\$/\1/p" "$T/out"
}

@test "pointers, 32 bits and whole registers are told apart" {
    cat >"$T/syscalls.h" <<'EOF2'
/* asmlinkage long sys_nothing(int fd); */
asmlinkage long sys_openat(int dfd, const char __user *filename, int flags,
			   umode_t mode);
asmlinkage long sys_getpid(void);
asmlinkage long sys_lseek(unsigned int fd, off_t offset, unsigned int whence);
asmlinkage long sys_clone(unsigned long, unsigned long, int __user *, unsigned long,
	       int __user *);
asmlinkage long sys_clone(unsigned long, unsigned long, int __user *, int __user *,
	       unsigned long);
asmlinkage long sys_newuname(struct new_utsname __user *name);
asmlinkage long sys_inotify_rm_watch(int fd, __s32 wd);
asmlinkage long sys_dup(unsigned);
EOF2
    "$ROOT/tools/update-arguments" "$T/syscalls.h" >"$T/out"
    [ "$(kinds_of openat)" = ipii ]
    [ "$(kinds_of lseek)" = ili ]
    # where architectures differ nothing is compared
    [ "$(kinds_of clone)" = llppp ]
    [ "$(kinds_of uname)" = p ]
    [ "$(kinds_of inotify_rm_watch)" = ii ]
    [ "$(kinds_of dup)" = i ]
    grep -qx 'ARGUMENTS(getpid, "")' "$T/out"
    run ! grep -q nothing "$T/out"
    run ! grep -q newuname "$T/out"
}

@test "the table in the tree is sorted and has no call twice" {
    sed -n 's/^ARGUMENTS(\([a-z0-9_]*\), "[pil]*")$/\1/p' "$ROOT/src/syscalls/arguments.def" >"$T/names"
    [ "$(wc -l <"$T/names")" -eq "$(grep -c '^ARGUMENTS' "$ROOT/src/syscalls/arguments.def")" ]
    [ "$(wc -l <"$T/names")" -gt 350 ]
    LC_ALL=C sort -c -u "$T/names"
}
