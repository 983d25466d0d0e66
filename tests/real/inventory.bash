# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the tests of snapshot and libs share: programs that stay until the test ends, documents, and
# what lsof, ldd, ps and the libraries themselves say.

load real

# Which names are crypto is said here anew and not asked of the tool. It need only be right for what
# the tests run.
CRYPTO_LIBRARY='lib(ssl|crypto|crypt|gnutls|nettle|hogweed|gcrypt|p11-kit|jvm|sunec|j2pkcs11)\.so'
CRYPTO_LIBRARY+='|lib(nss3|nssutil3|ssl3|smime3|softokn3|freebl3)\.so'
CRYPTO_LIBRARY+='|lib(krb5|krb5support|k5crypto|gssapi_krb5)\.so|_(ssl|hashlib)\.[^/]*so'
CRYPTO_LIBRARY+='|(ossl-modules|engines-3|pkcs11)/[^/]*\.so'
CRYPTO_LIBRARY="/($CRYPTO_LIBRARY)[.0-9]*$"
CRYPTO_FILE='(\.(pem|crt|key|p12|jks)|/fipsmodule\.cnf)$'

# Messages and dates as the tests expect them.
export LC_ALL=C

teardown()
{
    local pid children=

    # Workers outlive a server that is killed.
    for pid in ${KILL:-}; do
        children="$children $(pgrep -d ' ' -P "$pid")"
    done
    trace_clean
    for pid in $children; do
        kill -KILL "$pid" 2>/dev/null
    done
    [ -n "${BATS_TEST_COMPLETED:-}" ] || tail -n 20 log ./*.err 2>/dev/null
    return 0
}

# stay COMMAND...: starts it with a standard input, also named hold, that has nothing to read and no
# end; its process is STAYS. What it says goes to the file log.
stay()
{
    if [ ! -p hold ]; then
        mkfifo hold
        # The writer without which nobody can open it; no process that stays inherits it.
        exec 8<>hold
    fi
    "$@" <hold >>log 2>&1 3>&- 8>&- &
    STAYS=$!
    KILL="${KILL:-} $STAYS"
}

# said TEXT: waits until the programs have said it.
said()
{
    until_true grep -qF "$1" log
}

# serving: waits until the program that was started last listens.
serving()
{
    until_true port_open "$PORT"
    kill -0 "$STAYS"
}

# tls_works: a client that trusts the server's certificate only is content with it.
tls_works()
{
    openssl s_client -connect "127.0.0.1:$PORT" -CAfile server.crt -verify_return_error \
        </dev/null >client.log 2>&1
}

# at_rest PID FILE: has it FILE mapped, or open beside its standard input, and waits for something?
at_rest()
{
    local state

    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat") && [ "$state" = S ] || return 1
    grep -qF "$2" "/proc/$1/maps" || find "/proc/$1/fd" -lname "*$2" ! -name 0 | grep -q .
}

# settled FILE: waits until the program that was started last has FILE and waits.
settled()
{
    until_true at_rest "$STAYS" "$1"
}

# only_child PID: its only child, on whose end a container's helper waits.
only_child()
{
    CHILD=$(pgrep -P "$1") && [[ $CHILD != *$'\n'* ]]
}

# contain COMMAND...: stay, of a helper that makes the program its child; that is STAYS.
contain()
{
    local helper

    stay "$@"
    helper=$STAYS
    until_true only_child "$helper"
    STAYS=$CHILD
}

# take PID...: snapshot.json and libs.json now. What they say of these processes has to be what
# lsof, ps and /proc say.
take()
{
    local pid

    [ $# -gt 0 ]
    "$CT" snapshot --no-redact --output snapshot.json 2>snapshot.err
    "$CT" libs --no-redact --output libs.json 2>libs.err
    for pid; do
        jq -e --argjson pid "$pid" '[.processes[] | select(.pid == $pid)] |
            if length == 1 then .[0] else error("\(length) processes \($pid)") end' \
            snapshot.json >"process.$pid"
        who "$pid"
        files "$pid"
    done
}

# who PID: name, parent, program, user and start.
who()
{
    local started

    diff - <(jq -r '.pid, .ppid, .name, .running_as, .exe' "process.$1") <<EOW
$1
$(ps -o ppid= -p "$1" | tr -d ' ')
$(cat "/proc/$1/comm")
$(ps -o user:64= -p "$1" | tr -d ' ')
$(readlink "/proc/$1/exe" | sed 's/ (deleted)$//')
EOW
    # To the second, which ps computes from another clock.
    started=$(date -d "$(ps -o lstart= -p "$1")" +%s)
    jq -e --argjson started "$started" '.start_time | sub("\\..*"; "Z") | fromdate - $started |
        . >= -1 and . <= 1' "process.$1" >/dev/null ||
        { echo "$1 started $(jq .start_time "process.$1"), not $started"; return 1; }
}

# files PID: libraries and open files, and libs has the libraries too.
files()
{
    listed "$1" mem >mapped
    diff mapped <(jq -r '.library_paths[]' "process.$1" | sort)
    diff <(sed 's,.*/,,' mapped | sort -u) <(jq -r '.libraries[]' "process.$1" | sort)
    diff mapped <(jq -r --argjson pid "$1" '.libraries[] |
        select(any(.processes[]; .pid == $pid)) | .path' libs.json | sort)
    diff <(listed "$1" open) <(jq -r '.open_crypto_files[]' "process.$1" | sort)
}

# listed PID mem|open: what lsof says of crypto libraries that it maps, or crypto files it has open.
listed()
{
    lsof -w -n -P -p "$1" -F ftn >"lsof.$1" || return
    # That it says anything at all.
    grep -q '^fcwd' "lsof.$1"
    if [ "$2" = mem ]; then
        # DEL is one whose file was removed.
        awk '/^f/ { f = $0 } /^n/ && f ~ /^f(mem|DEL)$/ { print substr($0, 2) }' "lsof.$1" |
            sed 's/ (.*//' | { grep -E "$CRYPTO_LIBRARY" || true; } | sort -u
    else
        awk '/^f/ { f = $0 } /^t/ { t = $0 }
            /^n/ && f ~ /^f[0-9]+$/ && t == "tREG" { print substr($0, 2) }' "lsof.$1" |
            sed 's/ (deleted)$//' | { grep -E "$CRYPTO_FILE" || true; } | sort -u
    fi
}

# linked PROGRAM: the crypto libraries that it is linked with.
linked()
{
    ldd "$(command -v "$1")" | awk '$2 == "=>" { print $3 }' | xargs realpath |
        grep -E "$CRYPTO_LIBRARY" | sort
}

# maps_linked PID PROGRAM: its libraries are those, which are some.
maps_linked()
{
    linked "$2" >expected
    [ -s expected ]
    diff expected <(jq -r '.library_paths[]' "process.$1" | sort)
}

# copy_linked PROGRAM DIR: copies of these libraries, under the names by which it asks for them.
copy_linked()
{
    local name path

    ldd "$(command -v "$1")" | awk '$2 == "=>" { print $1, $3 }' | grep -E "$CRYPTO_LIBRARY" >copied
    while read -r name path; do
        cp -L "$path" "$2/$name"
    done <copied
    [ -s copied ]
}

# path_of PID NAME: where it has the library whose name begins so.
path_of()
{
    awk -v name="/$2" '$2 ~ /x/ && index($6, name) { print $6 }' "/proc/$1/maps" | sort -u
}

# openssl_version LIBCRYPTO: what it says when it is asked.
openssl_version()
{
    "$PYTHON" - "$1" <<'EOP'
import ctypes
import os
import sys

library = ctypes.CDLL(os.path.realpath(sys.argv[1]))
library.OpenSSL_version.restype = ctypes.c_char_p
print(library.OpenSSL_version(0).decode().split()[1])
EOP
}

# another_build LIBRARY VERSION: changes what it says its version is.
another_build()
{
    local version

    version=$(openssl_version "$1")
    [ "${#version}" -eq "${#2}" ] && [ "$version" != "$2" ]
    sed -i "s/OpenSSL ${version//./\\.} /OpenSSL $2 /g" "$1"
    [ "$(openssl_version "$1")" = "$2" ]
}

# provider PID NAME: one line for each provider of that name: VERSION LINKAGE EVIDENCE CONFIDENCE.
provider()
{
    jq -r --arg name "$2" '.crypto_providers[] | select(.name == $name) |
        "\(.version) \(.linkage) \(.evidence | join(",")) \(.confidence)"' "process.$1"
}

# libs_of PID NAME JQ: of the libraries of libs.json, that which it maps under this name.
libs_of()
{
    jq -r --argjson pid "$1" --arg name "$2" '.libraries[] | select(.name | startswith($name)) |
        select(any(.processes[]; .pid == $pid)) | '"$3" libs.json
}

# package_of FILE: as the package manager tells it: NAME VERSION.
package_of()
{
    local name path=$1

    if command -v dpkg-query >/dev/null; then
        # Its database may have the name from before /lib became a link.
        name=$(dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "${path#/usr}")
        # shellcheck disable=SC2016 # dpkg's variables
        dpkg-query -W -f '${Package} ${Version}\n' "${name%%: *}"
    elif command -v rpm >/dev/null; then
        rpm -q --qf '%{NAME} %{VERSION}-%{RELEASE}\n' -f "$path"
    else
        apk info -q -W "$path" | sed -E 's/-([0-9][^-]*-r[0-9]+)$/ \1/'
    fi
}

# root_make DIR: a root of its own with openssl and what that needs, from this one.
root_make()
{
    local file

    mkdir -p "$1/bin" "$1/proc"
    cp "$(command -v openssl)" "$1/bin/openssl"
    for file in $(ldd "$(command -v openssl)" | grep -o '/[^ ]*'); do
        mkdir -p "$1${file%/*}"
        cp -L "$file" "$1$file"
    done
}
