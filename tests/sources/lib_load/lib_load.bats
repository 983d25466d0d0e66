#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# lib_load: every crypto library that becomes executable in a process, once an image.

load ../../support/trace

# library SONAME: its path without symbolic links, nothing when it is not installed.
library()
{
    local path
    path=$(ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }')
    [ -n "$path" ] && realpath "$path"
}

# families: PATH=FAMILY of those that are installed.
families()
{
    local name family path
    while read -r name family; do
        path=$(library "$name") && echo "$path=$family"
    done <<'EOT'
libssl.so.3 openssl
libgnutls.so.30 gnutls
libnettle.so.8 nettle
libhogweed.so.6 nettle
libnss3.so nss
libssl3.so nss
libgcrypt.so.20 libgcrypt
libsodium.so.23 libsodium
libargon2.so.1 argon2
libcrypt.so.1 libcrypt
libp11-kit.so.0 pkcs11
libk5crypto.so.3 krb5
libssh2.so.1 libssh2
EOT
}

setup_file()
{
    trace_ready || return 0
    cd "$BATS_FILE_TMPDIR" || return
    LIBSSL=$(library libssl.so.3) || return 0
    LIBCRYPTO=$(library libcrypto.so.3)
    FAMILIES=$(families)
    export LIBSSL LIBCRYPTO FAMILIES
    cp "$BUILD/tests/sources/lib_load/lib_load_trigger" .
    mkdir -p files/copies files/root/lib
    cp "$LIBSSL" "$LIBCRYPTO" files/copies
    cp "$LIBSSL" "$LIBCRYPTO" files/root/lib
    trace_run events expected --event lib_load -- ./lib_load_trigger "$BATS_FILE_TMPDIR/files"
}

setup()
{
    trace_need
    [ -n "${LIBSSL:-}" ] || skip "no libssl.so.3"
    cd "$BATS_FILE_TMPDIR" || return
}

teardown()
{
    trace_clean
}

@test "dlopen, what it depends on, and through a symbolic link: file, identity, build id" {
    each dependency symlink
}

@test "a library is reported once, however often it is loaded" {
    each twice
}

@test "a copy is another library; under a name that says nothing it is none" {
    each copy 'another name'
}

@test "what is not executable is not loaded; what becomes executable is" {
    each 'not executable' mprotect
}

@test "files that only look like libraries are not reported" {
    each alike
}

@test "each library has its family" {
    each families
    [ "$(wc -l <<<"$FAMILIES")" -ge 3 ]
}

@test "uid is that of the moment" {
    each 'another user'
}

@test "the process's name is that of the moment" {
    each 'new name'
}

@test "after exec the same library is loaded again" {
    each exec
    [ "$(grep -c '"case":"exec".*lib_load' expected)" -eq 2 ]
}

@test "children do not load what they have from their parent" {
    each children
}

@test "a library loaded by a thread is the process's" {
    each thread
}

@test "chroot and mounts: the path is the one that the process sees" {
    each chroot mounts
}

@test "processes that end at once are still known" {
    each short-lived
}

@test "nothing else is reported" {
    expect expected events
}

@test "the build id is the one that readelf shows" {
    needs readelf
    local id
    id=$(readelf -n "$LIBCRYPTO" | sed -n 's/.*Build ID: //p')
    [ -n "$id" ] || skip "this libcrypto has no build id"
    [ "$(jq -r --arg file "$LIBCRYPTO" 'select(.library == $file) | .build_id' events | sort -u)" = "$id" ]
}

@test "libraries that a program is linked with are reported, and nothing that ldd does not list" {
    needs openssl ldd
    trace_run "$BATS_TEST_TMPDIR/events" "$BATS_TEST_TMPDIR/out" --event lib_load -- openssl version
    diff <(ldd "$(command -v openssl)" | awk '$1 ~ /^lib(ssl|crypto)\.so/ { print $3 }' |
        xargs -n 1 realpath | sort) <(events "$BATS_TEST_TMPDIR/events" .library | tr -d '"' | sort) >&2
    [ "$(events "$BATS_TEST_TMPDIR/events" .process | sort -u)" = '"openssl"' ]
}

@test "cat of a library is no load" {
    trace_run "$BATS_TEST_TMPDIR/events" "$BATS_TEST_TMPDIR/out" --event lib_load,process_exec -- \
        cat "$LIBSSL" "$LIBCRYPTO"
    [ "$(events "$BATS_TEST_TMPDIR/events" .event_type)" = '"process_exec"' ]
}

@test "a process that was running before the tool is followed by its pid" {
    ./lib_load_trigger "$BATS_FILE_TMPDIR/files" wait >"$BATS_TEST_TMPDIR/expected" 3>&- &
    KILL=$!
    until_true test -s "$BATS_TEST_TMPDIR/expected"
    trace_start "$BATS_TEST_TMPDIR/events" --event lib_load --pid "$KILL"
    kill -USR1 "$KILL"
    wait "$KILL"
    trace_stop "$BATS_TEST_TMPDIR/events"
    expect "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/events"
}

@test "without any selection too, among all others" {
    local dir=$BATS_TEST_TMPDIR
    ./lib_load_trigger "$BATS_FILE_TMPDIR/files" wait >"$dir/expected" 3>&- &
    KILL=$!
    until_true test -s "$dir/expected"
    trace_start "$dir/events" --event lib_load --library openssl
    kill -USR1 "$KILL"
    wait "$KILL"
    ./lib_load_trigger "$BATS_FILE_TMPDIR/files" dependency >>"$dir/expected"
    trace_stop "$dir/events"
    expect "$dir/expected" "$dir/events" wait
    expect "$dir/expected" "$dir/events" dependency
}
