#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `libs`: what it tells of each library, against readelf, dpkg-query and what the library's own
# programs say; libraries that were replaced while in use; and --watch.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for helpers.bash

load helpers

setup_file()
{
    check_environment
}

setup()
{
    common_setup
    HELD=()
}

teardown()
{
    local pid

    for pid in "${HELD[@]}"; do
        if kill -KILL "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || :; fi
    done
    [ -z "${LATE:-}" ] || rm -rf "$LATE"
    common_teardown
}

# hold LIBRARIES: a process that maps them; the last one is $held.
hold()
{
    : >"$T/ready"
    LD_PRELOAD=$1 "$PROGRAMS/hold" </dev/null >"$T/ready" 2>"$T/hold.err" 3>&- &
    held=$!
    HELD+=("$held")
    wait_for 10 test -s "$T/ready" || { cat "$T/hold.err"; return 1; }
}

# libs [OPTION...]: document in $OUT, messages in $ERR, status in $status.
libs()
{
    status=0
    timeout -k 5 60 "$TOOL" libs "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

# told NAME JQ: of the library of that name that $held maps.
told()
{
    jq -r --arg name "$1" --argjson pid "$held" '.libraries[] | select(.name == $name and
        any(.processes[]; .pid == $pid)) | '"$2" "$OUT"
}

# The file that the dynamic linker finds for a name, as it is called when all links are followed.
library()
{
    readlink -f "$(ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }')"
}

@test "the document: its parts, and what each library has" {
    hold libssl.so.3
    libs
    must_be 0
    [ ! -s "$ERR" ]
    [ "$(wc -l <"$OUT")" -eq 1 ]
    jq -e '.libs_version == "1.0" and .schema_version == "1.0" and .generated_at and
        ([.libraries[] | has("name") and has("path") and has("family") and has("version") and
          has("package") and has("build_id") and has("soname") and has("stale") and
          (.processes | length > 0 and all(has("pid") and has("name")))] | all) and
        .coverage.processes_examined > 5' "$OUT"
    jq -e '.summary == {libraries: (.libraries | length),
        processes: ([.libraries[].processes[].pid] | unique | length),
        stale: ([.libraries[] | select(.stale)] | length)}' "$OUT"
    libs --format json-pretty
    diff "$OUT" <(jq . "$OUT")
}

@test "path, soname and build id are those of readelf" {
    local name path

    needs readelf
    hold libssl.so.3:libgnutls.so.30:libgcrypt.so.20:libnettle.so.8
    libs
    for name in libssl.so.3 libcrypto.so.3 libgnutls.so.30 libgcrypt.so.20 libnettle.so.8 \
        libhogweed.so.6; do
        path=$(library "$name")
        [ "$(told "${path##*/}" .path)" = "$path" ]
        [ "$(told "${path##*/}" .soname)" = "$(readelf -dW "$path" |
            sed -nE 's/.*\(SONAME\).*\[(.*)\]/\1/p')" ]
        [ "$(told "${path##*/}" .build_id)" = "$(readelf -nW "$path" |
            sed -nE 's/.*Build ID: ([0-9a-f]+)$/\1/p')" ]
        [ "$(told "${path##*/}" .stale)" = false ]
    done
}

@test "versions are those that the libraries' programs tell" {
    hold libssl.so.3:libgnutls.so.30:libgcrypt.so.20
    libs
    [ "$(told libcrypto.so.3 .version)" = "$(openssl version | cut -d ' ' -f 2)" ]
    [ "$(told libssl.so.3 .version)" = "$(openssl version | cut -d ' ' -f 2)" ]
    if command -v gnutls-cli >/dev/null; then
        [ "$(told "$(basename "$(library libgnutls.so.30)")" .version)" = \
            "$(gnutls-cli --version | sed -nE '1s/.* ([0-9.]+)$/\1/p')" ]
    fi
    if command -v dpkg-query >/dev/null; then
        [ "$(told "$(basename "$(library libgcrypt.so.20)")" .version)" = \
            "$(dpkg-query -W -f '${Version}' libgcrypt20 | sed 's/-[^-]*$//')" ]
    fi
}

@test "packages are those of dpkg" {
    local name path package

    needs dpkg-query
    hold libssl.so.3:libgnutls.so.30:libgcrypt.so.20
    libs
    for name in libssl.so.3 libcrypto.so.3 libgnutls.so.30 libgcrypt.so.20 libnettle.so.8 \
        libhogweed.so.6 libp11-kit.so.0; do
        path=$(library "$name")
        # Some packages were made when /lib was no link to usr/lib.
        package=$({ dpkg-query -S "$path" || dpkg-query -S "${path#/usr}"; } 2>/dev/null | sed 's/:.*//')
        [ "$(told "${path##*/}" .package)" = \
            "$package $(dpkg-query -W -f '${Version}\n' "$package" | head -n 1)" ]
    done
}

@test "processes are those that map it" {
    local path

    # A copy: of the one in use other processes come and go.
    path=$T/libgcrypt.so.20
    cp "$(library libgcrypt.so.20)" "$path"
    hold "$path"
    hold libssl.so.3
    hold "$path:libssl.so.3"
    libs --no-redact
    diff <(grep -l "x[ps] .* $path\$" /proc/[0-9]*/maps 2>/dev/null | cut -d / -f 3 | sort -n) \
        <(jq --arg path "$path" '.libraries[] | select(.path == $path).processes[].pid' "$OUT")
    [ "$(jq --arg path "$path" '.libraries[] | select(.path == $path).processes | length' "$OUT")" -eq 2 ]
}

@test "--name: a family, a part of a name, nothing" {
    hold libssl.so.3:libgnutls.so.30
    libs --name openssl
    [ "$(jq -c '[.libraries[].name] | unique' "$OUT")" = '["libcrypto.so.3","libssl.so.3"]' ]
    [ "$(jq '.summary.libraries' "$OUT")" -eq "$(jq '.libraries | length' "$OUT")" ]
    libs --name libcrypto
    [ "$(jq -c '[.libraries[].name] | unique' "$OUT")" = '["libcrypto.so.3"]' ]
    libs --name libcrypto --name gnutls
    [ "$(jq -r '[.libraries[].name] | unique | join(" ")' "$OUT")" = \
        "libcrypto.so.3 $(basename "$(library libgnutls.so.30)")" ]
    libs --name no-such-library
    must_be 0
    jq -e '.libraries == [] and .summary == {libraries: 0, processes: 0, stale: 0}' "$OUT"
}

# Copies of libcrypto: one is replaced, one deleted, one stays.
make_stale()
{
    mkdir -p "$T"/{replaced,deleted,kept}
    for name in replaced deleted kept; do
        cp "$(library libcrypto.so.3)" "$T/$name/libcrypto.so.3"
    done
    hold "$T/replaced/libcrypto.so.3"
    replaced=$held
    hold "$T/deleted/libcrypto.so.3"
    deleted=$held
    hold "$T/kept/libcrypto.so.3"
    version=$(openssl version | cut -d ' ' -f 2)
    # Another version, by as many bytes.
    sed "s/OpenSSL ${version//./\\.}/OpenSSL 3.0.77/g; s/${version//./\\.}/3.0.77/g" \
        "$T/kept/libcrypto.so.3" >"$T/next"
    [ "$(stat -c %s "$T/next")" -eq "$(stat -c %s "$T/kept/libcrypto.so.3")" ] || skip "other sizes"
    mv "$T/next" "$T/replaced/libcrypto.so.3"
    rm "$T/deleted/libcrypto.so.3"
}

@test "libraries that were replaced or deleted are stale" {
    make_stale
    libs --no-redact
    stale()
    {
        jq -c --arg path "$T/$1/libcrypto.so.3" '.libraries[] | select(.path == $path) |
            [.stale, .version, .disk_version, (.processes | map(.pid))]' "$OUT"
    }
    [ "$(stale replaced)" = "[true,\"$version\",\"3.0.77\",[$replaced]]" ]
    [ "$(stale deleted)" = "[true,\"$version\",null,[$deleted]]" ]
    [ "$(stale kept)" = "[false,\"$version\",null,[$held]]" ]
    [ "$(jq .summary.stale "$OUT")" -eq "$(jq '[.libraries[] | select(.stale)] | length' "$OUT")" ]
    libs --no-redact --format summary
    grep -q "$version (stale)" "$OUT"
}

@test "snapshot tells them, too" {
    make_stale
    timeout 60 "$TOOL" snapshot --no-redact >"$OUT" 2>"$ERR"
    jq -e --arg version "$version" --arg path "$T/replaced/libcrypto.so.3" --argjson pid "$replaced" '
        .processes[] | select(.pid == $pid).stale_libraries ==
            [{path: $path, version: $version, disk_version: "3.0.77"}]' "$OUT"
    [ "$(jq -r --arg dir "$T/" '.findings[] | select(.rule == "library_replaced" and
        (.file | startswith($dir))) | "\(.file | ltrimstr($dir)) \(.severity) \(.evidence)"' "$OUT")" = \
        "deleted/libcrypto.so.3 medium in use: $version, on disk: unknown or nothing
replaced/libcrypto.so.3 medium in use: $version, on disk: 3.0.77" ]
    jq -e --arg path "$T/kept/libcrypto.so.3" 'all(.findings[]; .file != $path)' "$OUT"
}

@test "--no-inspect: neither versions nor build ids" {
    hold libssl.so.3
    libs --no-inspect
    must_be 0
    [ "$(told libcrypto.so.3 '[.version, .build_id, .soname] | map(tostring) | join(" ")')" = \
        "null null null" ]
    jq -e 'any(.coverage.not_seen[]; .why == "--no-inspect")' "$OUT"
}

@test "a library whose first user ends while it is looked into" {
    local first

    needs strace
    leaks_unseen
    # Behind most programs in the order in which files are looked into.
    LATE=$(mktemp -d /var/tmp/crypto-tracer.XXXXXX)
    cp "$(library libcrypto.so.3)" "$LATE/libcrypto.so.3"
    hold "$LATE/libcrypto.so.3"
    first=$held
    hold "$LATE/libcrypto.so.3"
    [ "$first" -lt "$held" ] || skip "process ids began again"
    strace -f -qq -o "$T/trace" -e trace=openat -e inject=openat:delay_enter=10000 \
        "$TOOL" snapshot --no-redact >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    # From here on only files are opened.
    wait_for 20 grep -qs '/exe"' "$T/trace"
    kill -KILL "$first"
    wait_for 20 has_ended "$TRACER"
    wait "$TRACER"
    jq -c --arg dir "$LATE" '.coverage.files[] | select(.file | startswith($dir))' "$OUT"
    jq -e --argjson pid "$held" --arg version "$(openssl version | cut -d ' ' -f 2)" '
        .processes[] | select(.pid == $pid).crypto_providers[0].version == $version' "$OUT"
}

@test "summary: a table within 80 columns" {
    hold libssl.so.3:libgnutls.so.30
    libs --format summary
    must_be 0
    grep -qE "^ *openssl +$(openssl version | cut -d ' ' -f 2) .* libcrypto.so.3 *\$" "$OUT"
    LC_ALL=C.UTF-8 refute grep -E '.{81}' "$OUT"
    refute grep -q $'\033' "$OUT"
}

@test "without privileges: one's own libraries with their versions" {
    local path

    : >"$T/ready"
    setpriv --reuid=nobody --regid=nogroup --clear-groups env LD_PRELOAD=libssl.so.3 \
        "$PROGRAMS/hold" </dev/null >"$T/ready" 2>&1 3>&- &
    held=$!
    HELD+=("$held")
    wait_for 10 test -s "$T/ready"
    setpriv --reuid=nobody --regid=nogroup --clear-groups "$TOOL" libs >"$OUT" 2>"$ERR"
    [ "$(told libssl.so.3 .path)" = "$(library libssl.so.3)" ]
    jq -e '.coverage.processes_not_examined > 0' "$OUT"
    [ "$(told libcrypto.so.3 .version)" = "$(openssl version | cut -d ' ' -f 2)" ]
}

@test "--watch: loads as they happen, nothing else, until it is told to end or the time is over" {
    tracer_start libs --watch --no-redact
    LD_PRELOAD=libgcrypt.so.20 "$PROGRAMS/opens" 1 /etc/passwd
    tracer_stop
    must_be 143
    must_have ".event_type == \"lib_load\" and .process == \"opens\" and
        .library == \"$(library libgcrypt.so.20)\" and .family == \"libgcrypt\""
    must_count 0 '.event_type | IN("start", "coverage", "lib_load") | not'
    tracer libs --watch --duration 0.1
    must_be 0
}

@test "--watch --name: of these libraries alone; text" {
    tracer_start libs --watch --name gnutls
    LD_PRELOAD=libgcrypt.so.20 "$PROGRAMS/opens" 1 /etc/passwd
    LD_PRELOAD=libgnutls.so.30 "$PROGRAMS/opens" 1 /etc/passwd
    wait_for 10 grep -q libgnutls "$STREAM"
    tracer_stop INT
    must_be 130
    must_have '.family == "gnutls" and .process == "opens"'
    must_count 0 '.event_type == "lib_load" and .family != "gnutls"'
}

@test "wrong options: status 2" {
    local words options

    for words in '--watch --format summary' '--format text' \
        '--fail-on high' '--diff x' '--name' 'operand'; do
        echo "$words"
        read -ra options <<<"$words"
        libs "${options[@]}"
        must_be 2
        must_be_error
    done
}
