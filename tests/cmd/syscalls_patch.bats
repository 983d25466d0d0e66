#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `syscalls patch`. Policies are made of what strace sees, or of all calls but a few, so that nothing
# here depends on recordings. tests/cmd/syscalls_patch_servers.bats has the servers.

load helpers
load syscalls_patch

@test "ls: the copy does what the original does, and no more" {
    calls_of "$T/calls" ls -la /etc
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/ls" /bin/ls
    must_agree /bin/ls "$T/ls" -la /etc
    must_agree /bin/ls "$T/ls" /none
    # What the program was not seen to do is refused.
    grep -vx getdents64 "$T/calls" >"$T/fewer"
    make_policy "$T/policy" errno "$T/fewer"
    patch_ok "$T/policy" "$T/ls2" /bin/ls
    refute "$T/ls2" /etc 2>"$ERR"
    grep -q 'Operation not permitted' "$ERR"
    make_policy "$T/policy" kill "$T/fewer"
    patch_ok "$T/policy" "$T/ls3" /bin/ls
    status=0
    "$T/ls3" /etc || status=$?
    must_be 159
}

@test "sqlite3: it is filtered while it runs, and its shell is refused" {
    needs sqlite3 strace
    echo 'create table t(a); insert into t values (1); select * from t;' >"$T/sql"
    calls_of "$T/calls" sqlite3 "$T/one.db" ".read $T/sql"
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/sqlite3" "$(command -v sqlite3)"
    mkfifo "$T/in"
    "$T/sqlite3" "$T/two.db" <"$T/in" >"$T/two.out" 2>"$ERR" 3>&- &
    TRACER=$!
    exec 8>"$T/in"
    cat "$T/sql" >&8
    wait_for 10 grep -qx 1 "$T/two.out"
    [ "$(seccomp_of "$TRACER" Seccomp)" = 2 ]
    [ "$(seccomp_of "$TRACER" Seccomp_filters)" = 1 ]
    echo ".shell touch $T/made" >&8
    exec 8>&-
    wait "$TRACER" || :
    TRACER=
    [ ! -e "$T/made" ]
}

@test "python3, not position-independent: threads, children and itself again" {
    python=/usr/bin/python3
    [ -x "$python" ] || skip "there is no $python"
    cat >"$T/act.py" <<'END'
import os, subprocess, sys, threading
told = []
def tell():
    told.append([l.split()[1] for l in open("/proc/thread-self/status") if l.startswith("Seccomp:")])
threads = [threading.Thread(target=tell) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(told)
print(subprocess.run(["cat", "/etc/hostname"], capture_output=True).stdout)
print(subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True).stdout)
END
    calls_of "$T/calls" "$python" "$T/act.py"
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/python3" "$python"
    grep -q 'so that the copy can execute itself' "$ERR"
    "$python" "$T/act.py" >"$T/plain"
    "$T/python3" "$T/act.py" >"$T/copy"
    diff <(sed "s/'0'/'2'/g" "$T/plain") "$T/copy"
    [ "$(grep -o "'2'" "$T/copy" | wc -l)" -eq 4 ]
    refute "$T/python3" -c "import os; os.mkdir('$T/made')" 2>"$ERR"
    grep -q 'Operation not permitted' "$ERR"
    [ ! -e "$T/made" ]
}

@test "execve is not allowed to who was not seen to call it" {
    all_but >"$T/calls"
    # As `syscalls policy` writes it for `run`.
    make_policy "$T/policy" errno "$T/calls"
    jq '.phases[0].allowed[0] |= (.seen -= ["execve"] | .added = ["execve"])' "$T/policy" >"$T/policy2"
    patch_ok "$T/policy2" "$T/env" "$(command -v env)"
    grep -q 'may not call execve' "$ERR"
    # It is said of a copy; here is none.
    refute "$TOOL" syscalls patch -p "$T/policy2" -o "$T/env" "$(command -v env)" 2>"$ERR"
    refute grep -q 'may not call execve' "$ERR"
    refute "$T/env" true 2>"$ERR"
    grep -q 'Operation not permitted' "$ERR"
    patch_ok "$T/policy" "$T/env2" "$(command -v env)"
    "$T/env2" true
}

@test "the copy is a sound ELF file" {
    needs readelf
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls" first_point "$T/calls" second_point "$T/calls"
    patch_ok "$T/policy" "$T/phased" "$PROGRAMS/phased"
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/ls" /bin/ls
    for copy in phased ls; do
        original=/bin/ls
        [ "$copy" = ls ] || original=$PROGRAMS/phased
        readelf -aW "$T/$copy" >"$T/elf" 2>"$T/warnings"
        [ ! -s "$T/warnings" ] || { cat "$T/warnings"; return 1; }
        # The same program to who looks for its symbols, and to a debugger.
        diff <(readelf -nW "$original" | grep 'Build ID') <(readelf -nW "$T/$copy" | grep 'Build ID')
        diff <(readelf -dW "$original") <(readelf -dW "$T/$copy")
        diff <(readelf -sW "$original") <(readelf -sW "$T/$copy")
        diff <(readelf -lW "$original" | grep -E 'STACK|RELRO|INTERP|DYNAMIC|PROPERTY') \
            <(readelf -lW "$T/$copy" | grep -E 'STACK|RELRO|INTERP|DYNAMIC|PROPERTY')
        # No segment is executable and writable, nor in another's place.
        refute grep -E 'LOAD.* RWE ' "$T/elf"
        if command -v eu-elflint >/dev/null; then
            diff <(eu-elflint --gnu-ld "$original" | grep -v 'No errors') \
                <(eu-elflint --gnu-ld "$T/$copy" | grep -v 'owner name')
        fi
    done
    # Executable but for the loader, which is asked in two ways.
    loader=$(readelf -lW /bin/ls | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
    "$loader" --verify "$T/ls"
    diff <("$loader" "$T/ls" -la /etc/ssl) <(/bin/ls -la /etc/ssl)
    "$loader" "$T/phased" again | grep -qx 'second 3'
}

@test "memory that is only reserved stays a hole in the file" {
    printf '%s\n' '#include <stdio.h>' 'static char big[256 << 20];' \
        'int main(void) { big[200 << 20] = 7; printf("%d\n", big[100 << 20] + big[200 << 20]); }' >"$T/big.c"
    needs gcc
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    for flags in -pie -no-pie; do
        gcc -O1 "$flags" -fPIE -o "$T/big$flags" "$T/big.c"
        patch_ok "$T/policy" "$T/copy$flags" "$T/big$flags"
        [ "$("$T/copy$flags")" = 7 ]
        [ "$(stat -c %b "$T/copy$flags")" -lt 200 ]
    done
}

@test "mode, owner and extended attributes are kept, the original is not touched" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    cp /bin/ls "$T/original"
    chown 12:34 "$T/original"
    chmod 0751 "$T/original"
    if command -v setfattr >/dev/null; then
        setfattr -n user.test -v value "$T/original"
        setfattr -n security.test -v other "$T/original"
    fi
    before=$(sha256sum <"$T/original"; stat -c '%a %u %g %i %y %z' "$T/original")
    umask 077
    patch_ok "$T/policy" "$T/copy" "$T/original"
    [ "$(stat -c '%a %u %g' "$T/copy")" = '751 12 34' ]
    if command -v getfattr >/dev/null; then
        diff <(cd "$T" && getfattr -d -m - original | tail -n +2) <(cd "$T" && getfattr -d -m - copy | tail -n +2)
        [ "$(cd "$T" && getfattr -d -m - copy | grep -cE '^(user|security)\.test=')" -eq 2 ]
    fi
    [ "$(sha256sum <"$T/original"; stat -c '%a %u %g %i %y %z' "$T/original")" = "$before" ]
}

@test "an ordinary user can patch, and owns the copy" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    chmod 644 "$T/policy"
    mkdir "$T/theirs"
    chown 65534:65534 "$T/theirs"
    cp /bin/ls "$T/ls"
    command -v setfattr >/dev/null && setfattr -n security.test -v other "$T/ls"
    setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$TOOL" syscalls patch --policy "$T/policy" -o "$T/theirs/ls" "$T/ls" 2>"$ERR"
    grep -q 'the copy is yours' "$ERR"
    ! command -v setfattr >/dev/null || grep -q 'extended attributes that only root' "$ERR"
    [ "$(stat -c '%a %u' "$T/theirs/ls")" = '755 65534' ]
    setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all "$T/theirs/ls" -d / | grep -qx /
    setpriv --reuid 65534 --regid 65534 --clear-groups \
        strace -e trace=seccomp "$T/theirs/ls" -d / 2>&1 | grep -q 'SECCOMP_SET_MODE_FILTER.* = 0'
}

@test "what cannot be patched is refused, and leaves no file" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    if command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1; then
        patch_refused "$T/policy" "$(command -v busybox)" 'statically linked'
    fi
    patch_refused "$T/policy" "$(command -v su)" 'is setuid'
    printf '#!/bin/sh\n' >"$T/script"
    patch_refused "$T/policy" "$T/script" 'is a script'
    echo text >"$T/text"
    patch_refused "$T/policy" "$T/text" 'not an ELF file'
    : >"$T/empty"
    patch_refused "$T/policy" "$T/empty" 'not an ELF file'
    patch_refused "$T/policy" "$T" 'not a regular file'
    patch_refused "$T/policy" /dev/zero 'not a regular file'
    patch_refused "$T/policy" "$T/none" 'No such file'
    patch_refused "$T/policy" "$(ldd /bin/ls | awk '/libc\.so/ { print $3 }' | sed 's,libc\.so,libdl.so,;s,\.6$,.2,')" \
        'is a shared library'
    head -c 5000 /bin/ls >"$T/cut"
    patch_refused "$T/policy" "$T/cut" 'cannot be loaded'
    { cat /bin/ls; echo payload; } >"$T/longer"
    patch_refused "$T/policy" "$T/longer" 'of its own behind the ELF file'
    cp /bin/ls "$T/capable"
    setcap cap_net_raw+ep "$T/capable"
    patch_refused "$T/policy" "$T/capable" 'file capabilities'
}

@test "programs made in another way: static-pie, i386" {
    needs gcc
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    echo 'int main(void) { return 0; }' >"$T/main.c"
    gcc -static-pie -o "$T/static-pie" "$T/main.c"
    patch_refused "$T/policy" "$T/static-pie" 'static-pie'
    gcc -c -o "$T/main.o" "$T/main.c"
    patch_refused "$T/policy" "$T/main.o" 'an object file'
    gcc -m32 -o "$T/i386" "$T/main.c" || skip "no libraries of 32 bits"
    patch_refused "$T/policy" "$T/i386" 'for i386'
}

@test "a copy is not patched again" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/ls" /bin/ls
    patch_refused "$T/policy" "$T/ls" 'patched already'
}

@test "no file is replaced: one that is there, a link, the program itself" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    cp /bin/ls "$T/original"
    echo mine >"$T/mine"
    ln -s nowhere "$T/link"
    for out in mine link original; do
        status=0
        "$TOOL" syscalls patch --policy "$T/policy" -o "$T/$out" "$T/original" >"$OUT" 2>"$ERR" || status=$?
        must_be 1
        must_be_error
        grep -q 'There is such a file' "$ERR"
    done
    [ "$(cat "$T/mine")" = mine ]
    [ ! -e "$T/nowhere" ]
    cmp /bin/ls "$T/original"
    refute ls "$T"/.ct-*
}

@test "no room: an error, and no file" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    mkdir "$T/small"
    mount -t tmpfs -o size=64k none "$T/small" || skip "cannot mount"
    status=0
    "$TOOL" syscalls patch --policy "$T/policy" -o "$T/small/ls" /bin/ls >"$OUT" 2>"$ERR" || status=$?
    left=$(find "$T/small" -mindepth 1)
    umount "$T/small"
    must_be 1
    must_be_error
    grep -q 'No space left' "$ERR"
    [ -z "$left" ]
}

@test "the policy has to be of this very program" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    id=$(readelf -nW /bin/ls | sed -n 's/.*Build ID: //p')
    sha=$(sha256sum /bin/ls | cut -d' ' -f1)
    jq --arg id "$id" --arg sha "$sha" '.build_id = $id | .exe_sha256 = $sha' "$T/policy" >"$T/right"
    patch_ok "$T/right" "$T/ls" /bin/ls
    other=$(tr 0-9a-f 1-9a-f0 <<<"$id")
    jq --arg id "$other" '.build_id = $id' "$T/right" >"$T/wrong"
    patch_refused "$T/wrong" /bin/ls "$other"
    grep -q "$id" "$ERR"
    # The build id stays when bytes change.
    cp /bin/ls "$T/changed"
    printf '\001' | dd of="$T/changed" bs=1 seek=9 conv=notrunc status=none
    patch_refused "$T/right" "$T/changed" 'bytes are others'
}

@test "wrong calls and policies" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    for wrong in "--policy $T/policy -o $T/made" "--policy $T/policy -o $T/made /bin/ls /bin/cat" \
        "-o $T/made /bin/ls" "--policy $T/policy /bin/ls" "--policy $T/policy -o - /bin/ls"; do
        status=0
        # shellcheck disable=SC2086 # words
        "$TOOL" syscalls patch $wrong >"$OUT" 2>"$ERR" || status=$?
        must_be 2
        must_be_error
    done
    status=0
    "$TOOL" syscalls patch --policy "$T/none" -o "$T/made" /bin/ls >"$OUT" 2>"$ERR" || status=$?
    must_be 1
    must_be_error
    echo '{}' >"$T/other"
    patch_refused "$T/other" /bin/ls 'not a policy'
    jq '.native = "arm64" | .architectures[0].arch = "arm64" | .phases[].allowed[].arch = "arm64"
        | .phases[].allowed[].seen = ["read"]' "$T/policy" >"$T/arm64"
    patch_refused "$T/arm64" /bin/ls 'another architecture'
    make_policy "$T/policy" notify "$T/calls"
    patch_refused "$T/policy" /bin/ls 'no supervisor'
    "$TOOL" syscalls patch --policy "$T/policy" --action kill -o "$T/ls" /bin/ls 2>"$ERR"
    "$T/ls" -d / | grep -qx /
    refute test -e "$T/made"
}

@test "a filter that cannot be installed ends the program" {
    all_but >"$T/calls"
    make_policy "$T/policy" errno "$T/calls"
    patch_ok "$T/policy" "$T/ls" /bin/ls
    # Below another filter, which forbids it.
    cat >"$T/refuse.py" <<'END'
import ctypes, os, struct, sys
# ld nr; jeq 317: errno 13; allow
code = struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, 317, 6, 0, 0, 0x5000d, 6, 0, 0, 0x7fff0000)
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program) == 0
os.execv(sys.argv[1], sys.argv[1:])
END
    status=0
    python3 "$T/refuse.py" "$T/ls" / >"$OUT" 2>"$ERR" || status=$?
    must_be 137
    [ ! -s "$OUT" ]
    grep -qx 'crypto-tracer: the system call filter cannot be installed, this program ends: error 13' "$ERR"
}
