#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The static binary and what `make release` makes of it: small, alone in an empty root it works, and
# built elsewhere it is the same file.

# shellcheck disable=SC2016 # make and sh expand for themselves
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load ../cmd/helpers
load packaging

# The date that the build which is there was made for: only that of the commit before, perhaps.
built()
{
    "$BUILD/crypto-tracer" version | sed -n 's/^Built: //p'
}

setup_file()
{
    check_environment
    file_needs cc openssl || return 0
    # setup() says why not.
    plain_build || return 0
    SOURCE_DATE_EPOCH=$(date -u -d "$(built)" +%s) make_target release >/dev/null
}

setup()
{
    common_setup
    plain_build_only
    RELEASED=$BUILD/release/crypto-tracer-$(version_of_tool)-linux-$(uname -m)
    openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$T/seen.pem" -subj /CN=seen \
        2>/dev/null
}

# empty_root: $TOOL is the binary alone in an empty folder, the rest of the test goes on outside.
empty_root()
{
    EMPTY=$T/root
    mkdir -p "$EMPTY"
    cp "$RELEASED" "$EMPTY/crypto-tracer"
    printf '#!/bin/sh\nexec %q %q /crypto-tracer "$@"\n' "$BATS_TEST_DIRNAME/in-root" "$EMPTY" \
        >"$T/tool"
    chmod 755 "$T/tool"
    TOOL=$T/tool
}

@test "the binary is below 10 MB, stripped, and needs no shared library" {
    [ "$(stat -c %s "$RELEASED")" -lt 10000000 ]
    [ "$(stat -c %s "$RELEASED")" -gt 1000000 ]
    refute grep -q . <(readelf -SW "$RELEASED" | grep -E '\.(debug_info|symtab) ')
    refute grep -q . <(readelf -dW "$RELEASED" | grep NEEDED)
    refute grep -q . <(readelf -lW "$RELEASED" | grep INTERP)
    # Hardened like the dynamic one: position independent, nothing both writable and executable.
    readelf -hW "$RELEASED" | grep -q 'Type:.*DYN'
    readelf -lW "$RELEASED" | grep -q GNU_RELRO
    refute grep -q . <(readelf -lW "$RELEASED" | awk '$1 == "LOAD" || $1 == "GNU_STACK"' | grep RWE)
}

@test "the archive has the binary, its page and the licences of what is linked into it" {
    local name

    (cd "$BUILD/release" && sha256sum --check --quiet SHA256SUMS)
    [ "$(wc -l <"$BUILD/release/SHA256SUMS")" -eq 2 ]
    tar -C "$T" -xzf "$RELEASED.tar.gz"
    cmp "$T/$(basename "$RELEASED")/crypto-tracer" "$RELEASED"
    for name in LICENSE NOTICE crypto-tracer.1 docs/requirements.md licenses/LGPL-2.1.txt \
        licenses/LGPL-3.txt licenses/GPL-3.txt licenses/Apache-2.0.txt; do
        [ -s "$T/$(basename "$RELEASED")/$name" ]
    done
    # Licences that NOTICE names are there.
    [ "$(find "$PACKAGING/licenses" -type f | wc -l)" -eq 4 ]
}

@test "alone in an empty root, monitor reports what happens outside" {
    empty_root
    tracer_start monitor --name head
    act
    tracer_stop INT
    must_be 130
    must_have_acted
    must_have '.event_type == "start"'
    # No user names without a passwd file, and no NSS.
    refute grep -q '"user":"root"' "$OUT"
}

@test "alone in an empty root, snapshot and libs give users by number, with a passwd file by name" {
    puppet_start holder env LD_PRELOAD=libssl.so.3
    empty_root
    "$TOOL" snapshot >"$OUT"
    jq -e --argjson pid "${PUPPET[holder]}" '.processes[] | select(.pid == $pid) |
        .running_as == "0" and (.libraries | index("libssl.so.3")) != null' "$OUT"
    mkdir "$EMPTY/etc"
    echo 'boss:x:0:0::/:/' >"$EMPTY/etc/passwd"
    "$TOOL" snapshot >"$OUT"
    jq -e --argjson pid "${PUPPET[holder]}" '.processes[] | select(.pid == $pid) |
        .running_as == "boss"' "$OUT"
    "$TOOL" libs >"$OUT"
    jq -e --argjson pid "${PUPPET[holder]}" '[.libraries[] | select(.family == "openssl") |
        .processes[].pid] | index($pid) != null' "$OUT"
}

@test "plug-ins that nsswitch.conf names are not loaded: they are of another C library" {
    needs strace
    empty_root
    mkdir "$EMPTY/etc"
    printf 'passwd: sss files\ngroup: sss files\ninitgroups: sss files\n' >"$EMPTY/etc/nsswitch.conf"
    echo 'boss:x:1234:1234::/:/' >"$EMPTY/etc/passwd"
    strace -f -e trace=open,openat,openat2 -o "$T/opens" "$BATS_TEST_DIRNAME/in-root" "$EMPTY" \
        /crypto-tracer monitor --uid boss --duration 0.1 >"$OUT"
    # The user was found, in the file.
    grep -q '"/etc/passwd".* = [0-9]' "$T/opens"
    refute grep -E 'libnss|libc\.so' <(sed -n '/crypto-tracer/,$p' "$T/opens" | grep -A 999 /etc/passwd)
}

@test "a source that tells when it was compiled is refused" {
    local flags

    flags=$(make_target -s --eval 'flags: ; @echo $(CC) $(CPPFLAGS) $(CFLAGS)' flags)
    echo 'const char *text(void); const char *text(void) { return "then"; }' >"$T/a.c"
    (cd "$ROOT" && eval "$flags -c -o $T/a.o $T/a.c")
    sed -i 's/"then"/__DATE__/' "$T/a.c"
    refute eval "cd '$ROOT' && $flags -c -o $T/a.o $T/a.c" 2>"$ERR"
    grep -q 'date-time' "$ERR"
}

@test "no folder of this machine is in the binary or in an object" {
    # What says where it was compiled, in debug information too; objects are made by relative paths.
    refute grep -qaF "$ROOT" "$BUILD/static/crypto-tracer"
    refute grep -rlaF "$ROOT" "$BUILD/obj" "$BUILD/bpf" --include=*.o
    readelf --debug-dump=info "$BUILD/obj/main.o" | grep -qE 'DW_AT_comp_dir.*: \.$'
}

@test "compiled again in another folder it is the same, byte for byte" {
    # A sample; tools/check-reproducible without it compiles everything anew.
    SOURCE_DATE_EPOCH=$(date -u -d "$(built)" +%s) MAKEFLAGS='' \
        "$ROOT/tools/check-reproducible" --sample 16 >"$OUT" 2>"$ERR" 3>&- || { cat "$OUT" "$ERR"; false; }
    [ "$(sed -n 's/^compiled anew: \([0-9]*\) files$/\1/p' "$OUT")" -ge 15 ]
    grep -q '^the same: 2 files' "$OUT"
}
