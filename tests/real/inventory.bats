#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# snapshot and libs where paths do not tell which file it is: other roots, mounts that hide others,
# libraries and keys that were replaced. And what the kernel tells of itself.

load inventory

# The start of a container, less its root.
BWRAP=(bwrap --die-with-parent --unshare-pid --as-pid-1)

# digest COMMAND...: openssl, started by COMMAND, that reads its input for ever.
digest()
{
    stay "$@" dgst
    settled libcrypto
}

# contained COMMAND...: the same by a helper.
contained()
{
    contain "$@" dgst
    settled libcrypto
}

# Another version of the same length as that of LIBRARY: it begins with DIGIT, which no OpenSSL has.
other_version()
{
    local version

    version=$(openssl_version "$1")
    echo "$2${version:1}"
}

# says PID VERSION PACKAGE: the process has one libcrypto, of that version and package, and one
# provider, of the same version.
says()
{
    diff - <(libs_of "$1" libcrypto '"\(.version) \(.package)"') <<<"$2 $3"
    diff - <(provider "$1" openssl) <<<"$2 dynamic mapped high"
}

@test "a chroot: the library that is in there, which is of no package" {
    needs lsof
    root_make root
    library=$(find root -name 'libcrypto.so*')
    version=$(other_version "$library" 8)
    another_build "$library" "$version"
    digest chroot root /bin/openssl
    take "$STAYS"
    [ "$(jq -r .exe "process.$STAYS")" = "$T/root/bin/openssl" ]
    [ "$(libs_of "$STAYS" libcrypto .path)" = "$T/$library" ]
    says "$STAYS" "$version" null
}

# The library that openssl is linked with.
host_library()
{
    linked openssl | grep /libcrypto
}

@test "a library mounted over another in one process's namespace: two entries of one path" {
    needs lsof ldd
    library=$(host_library)
    host=$(openssl_version "$library")
    version=$(other_version "$library" 8)
    cp "$library" other.so
    another_build other.so "$version"
    # shellcheck disable=SC2016 # for the inner shell
    digest unshare -m sh -c 'mount --bind other.so "$1" && exec openssl "$2"' sh "$library"
    inside=$STAYS
    digest openssl
    take "$inside" "$STAYS"
    diff - <(jq -r --arg path "$library" --argjson pids "[$inside, $STAYS]" '.libraries[] |
        select(.path == $path) | .version as $version | .processes[].pid |
        select(IN($pids[])) | "\($version) \(.)"' libs.json | sort) < <(
        printf '%s\n' "$version $inside" "$host $STAYS" | sort)
    # Each is told its own; libssl, which they share, does not know.
    says "$STAYS" "$host" "$(package_of "$library")"
    diff - <(provider "$inside" openssl) <<<"$version dynamic mapped high"
}

@test "containers: paths, versions and packages as the root of each has them" {
    needs bwrap lsof ldd
    # One with a database of packages, in which the library has another version than its file.
    for root in box bare; do
        root_make "$root"
    done
    library=$(find box -name 'libcrypto.so*')
    library=${library#box}
    mkdir -p box/var/lib/dpkg/info
    printf '%s\n' 'Package: boxed-libcrypto' 'Status: install ok installed' 'Architecture: amd64' \
        'Version: 9.9-box1' 'Description: library' '' >box/var/lib/dpkg/status
    echo "$library" >box/var/lib/dpkg/info/boxed-libcrypto.list
    boxed=$(other_version "box$library" 8)
    bare=$(other_version "bare$library" 7)
    another_build "box$library" "$boxed"
    another_build "bare$library" "$bare"
    pids=
    for root in box bare; do
        contained "${BWRAP[@]}" --bind "$root" / --proc /proc /bin/openssl
        pids="$pids $STAYS"
    done
    # One with the root of the host, in a namespace of its own.
    contained "${BWRAP[@]}" --bind / / --proc /proc openssl
    # shellcheck disable=SC2086 # a list of numbers
    take $pids "$STAYS"
    read -r box_pid bare_pid <<<"$pids"
    for pid in $pids; do
        # libssl, which does not tell its version, has none that is of another root.
        version=$(libs_of "$pid" libcrypto .version)
        libs_of "$pid" libssl '.version // empty' >told
        [ ! -s told ] || diff - told <<<"$version"
        diff - <(libs_of "$pid" libcrypto .path) <<<"$library"
        diff - <(jq -r .exe "process.$pid") <<</bin/openssl
    done
    says "$box_pid" "$boxed" 'boxed-libcrypto 9.9-box1'
    says "$bare_pid" "$bare" null
    library=$(host_library)
    says "$STAYS" "$(openssl_version "$library")" "$(package_of "$library")"
}

# stale PID PATH OLD NEW: the process has the library PATH, of version OLD, in whose place there is
# now NEW, and no other that is stale; both documents, the finding and the table say so.
stale()
{
    diff - <(jq -c '.stale_libraries[] | [.path, .version, .disk_version]' "process.$1") \
        <<<"[\"$2\",\"$3\",$4]"
    diff - <(libs_of "$1" '' 'select(.stale) | [.path, .version, .disk_version] | tojson') \
        <<<"[\"$2\",\"$3\",$4]"
    diff - <(jq -r --argjson pid "$1" '.findings[] | select(.rule == "library_replaced") |
        select(any(.processes[]; .pid == $pid)) | .file' snapshot.json) <<<"$2"
    "$CT" libs --no-redact --format summary >libs.txt
    grep -qE "^ *openssl +${3//./\\.} \(stale\) +[0-9]" libs.txt
}

@test "a library that is replaced, and then removed, while a process has it" {
    needs lsof ldd
    mkdir lib
    copy_linked openssl lib
    library=$(find "$T/lib" -name 'libcrypto.so*')
    old=$(openssl_version "$library")
    new=$(other_version "$library" 8)
    digest env LD_LIBRARY_PATH="$T/lib" openssl
    first=$STAYS
    take "$first"
    [ "$(libs_of "$first" libcrypto '"\(.path) \(.stale)"')" = "$library false" ]
    [ "$(jq -c .stale_libraries "process.$first")" = '[]' ]
    cp "$library" new.so
    another_build new.so "$new"
    mv new.so "$library"
    # It has the new one, and is not to be told of.
    digest env LD_LIBRARY_PATH="$T/lib" openssl
    take "$first" "$STAYS"
    stale "$first" "$library" "$old" "\"$new\""
    says "$first" "$old" null
    says "$STAYS" "$new" null
    [ "$(jq -c .stale_libraries "process.$STAYS")" = '[]' ]
    rm "$library"
    take "$first"
    stale "$first" "$library" "$old" null
}

@test "a library that is replaced in a container: the version on disk is that in there" {
    needs bwrap lsof
    root_make box
    library=$(find box -name 'libcrypto.so*')
    old=$(other_version "$library" 7)
    new=$(other_version "$library" 8)
    another_build "$library" "$old"
    contained "${BWRAP[@]}" --bind box / --proc /proc /bin/openssl
    cp "$library" new.so
    another_build new.so "$new"
    mv new.so "$library"
    take "$STAYS"
    stale "$STAYS" "${library#box}" "$old" "\"$new\""
}

@test "two OpenSSLs in one process" {
    needs lsof ldd
    library=$(host_library)
    cp "$library" .
    copy=$T/${library##*/}
    another_build "$copy" "$(other_version "$library" 8)"
    stay "$PYTHON" -c '
import ctypes, ssl, sys
ctypes.CDLL(sys.argv[1])
print("holds", flush=True)
sys.stdin.read()' "$copy"
    said holds
    take "$STAYS"
    for file in "$library" "$copy"; do
        echo "$file $(openssl_version "$file")"
    done | sort >expected
    diff expected <(libs_of "$STAYS" libcrypto '"\(.path) \(.version)"' | sort)
    # Each name once, each path, each version.
    [ "$(jq '[.libraries[] | select(startswith("libcrypto"))] | length' "process.$STAYS")" -eq 1 ]
    diff <(cut -d' ' -f2 expected | sort) <(provider "$STAYS" openssl | cut -d' ' -f1 | sort)
}

# first_thread_gone PID: it is a zombie then, which has neither mappings nor files.
first_thread_gone()
{
    grep -q '^State:.*Z' "/proc/$1/status"
}

@test "a process whose first thread has ended, while another goes on" {
    cat >threads.py <<'EOP'
import ctypes, ssl, sys, threading
file = open("server.key")
threading.Thread(target=sys.stdin.read).start()
ctypes.CDLL(None).pthread_exit(None)
EOP
    stay "$PYTHON" threads.py
    until_true first_thread_gone "$STAYS"
    thread=$(find "/proc/$STAYS/task" -maxdepth 1 -name '[0-9]*' ! -name "$STAYS")
    awk '$2 ~ /x/ { print $6 }' "$thread/maps" | grep -E "$CRYPTO_LIBRARY" | sort -u >expected
    grep -q libcrypto expected
    [ -n "$(find "$thread/fd" -lname "$T/server.key")" ]
    "$CT" snapshot --no-redact --output snapshot.json
    jq --argjson pid "$STAYS" '.processes[] | select(.pid == $pid)' snapshot.json >told
    diff expected <(jq -r '.library_paths[]' told | sort)
    diff - <(jq -r '.open_crypto_files[]' told) <<<"$T/server.key"
}

# fips_evidence PID: its lines, without that of the kernel, which is of all processes.
fips_evidence()
{
    jq -r '.fips_evidence // [] | .[]' "process.$1" | { grep -v '^kernel: ' || true; }
}

@test "FIPS: what there is to see, and never a word that it were validated" {
    needs lsof ldd
    module=$(find "$(dirname "$(host_library)")" -path '*/ossl-modules/legacy.so')
    [ -n "$module" ]
    mkdir ossl-modules
    cp "$module" ossl-modules/fips.so
    echo '[fips_sect]' >fipsmodule.cnf
    stay env LD_PRELOAD="$T/ossl-modules/fips.so" cat
    settled fips.so
    loaded=$STAYS
    digest openssl
    plain=$STAYS
    stay "$PYTHON" -c 'import sys; file = open("fipsmodule.cnf"); sys.stdin.read()'
    settled fipsmodule.cnf
    take "$loaded" "$plain" "$STAYS"
    diff - <(fips_evidence "$loaded") <<<"provider mapped: $T/ossl-modules/fips.so"
    diff - <(fips_evidence "$STAYS") <<<"configuration open: $T/fipsmodule.cnf"
    [ -z "$(fips_evidence "$plain")" ]
    if [ "$(cat /proc/sys/crypto/fips_enabled 2>/dev/null)" = 1 ]; then
        jq -e '.fips_evidence[0] | startswith("kernel: ")' "process.$plain" >/dev/null
    else
        [ "$(jq -c '.fips_evidence // []' "process.$plain")" = '[]' ]
    fi
    for command in snapshot libs; do
        "$CT" "$command" --no-redact --format summary >"$command.txt"
        "$CT" "$command" --help >>"$command.txt"
    done
    "$CT" snapshot --no-redact --diff snapshot.json >diff.json || [ $? -eq 11 ]
    grep -q fips.so snapshot.json
    run grep -iE 'validated|certified' snapshot.json libs.json diff.json ./*.txt ./*.err
    [ "$status" -eq 1 ]
}

@test "the kernel: algorithms, FIPS mode and AF_ALG as /proc tells" {
    needs lsof
    fips=null
    [ ! -r /proc/sys/crypto/fips_enabled ] ||
        fips=$([ "$(cat /proc/sys/crypto/fips_enabled)" = 1 ] && echo true || echo false)
    stay "$PYTHON" -c '
import socket, sys
algorithm = socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
algorithm.bind(("hash", "sha256"))
print("holds", flush=True)
sys.stdin.read()'
    until_true grep -qE 'holds|Error' log
    take_host
    diff - host <<EOH
$(grep -c '^name' /proc/crypto)
$fips
EOH
    if grep -q holds log; then
        jq -c --argjson pid "$STAYS" '.processes[] | select(.pid == $pid) | .kernel_crypto' \
            snapshot.json >told
        diff - told <<<'["AF_ALG"]'
        diff <(awk '$1 == "ALG" { print $3 }' /proc/net/protocols) \
            <(jq .host_crypto.af_alg.sockets snapshot.json)
        jq -e '.host_crypto.af_alg.sockets >= 1' snapshot.json >/dev/null
    fi
    # A row is for an algorithm that somebody uses.
    awk '/^driver/ { driver = $3 } /^refcnt/ && $3 > 1 { print driver, $3 }' /proc/crypto >used
    jq -r '.host_crypto.algorithms.in_use[] | "\(.driver) \(.refcnt)"' snapshot.json >told
    diff <(sort used) <(sort told)
}

take_host()
{
    "$CT" snapshot --no-redact --output snapshot.json 2>snapshot.err
    jq '.host_crypto | .algorithms.registered, .fips_enabled' snapshot.json >host
}

@test "by /proc it is the same as by BPF" {
    needs lsof ldd setpriv bwrap
    root_make box
    mkdir lib
    copy_linked openssl lib
    pids=()
    digest chroot box /bin/openssl
    pids+=("$STAYS")
    contained "${BWRAP[@]}" --bind box / --proc /proc /bin/openssl
    pids+=("$STAYS")
    digest env LD_LIBRARY_PATH="$T/lib" openssl
    pids+=("$STAYS")
    rm lib/libcrypto*
    stay setpriv --reuid nobody "$PYTHON" -c '
import ssl, sys
file = open("server.crt")
print("holds", flush=True)
sys.stdin.read()'
    said holds
    pids+=("$STAYS")
    rm server.crt
    take "${pids[@]}"
    list=$(IFS=,; echo "[${pids[*]}]")
    setpriv --bounding-set=-bpf,-sys_admin,-perfmon \
        "$CT" snapshot --no-redact --output proc.json 2>proc.err
    diff - <(jq -r .coverage.method snapshot.json proc.json) <<<$'bpf\nproc'
    for file in snapshot proc; do
        jq -S --argjson pids "$list" '[.processes, .certificates, .keys] |
            .[] |= map(select([.pid, .processes[]?.pid] | any(IN($pids[]))))' "$file.json" >"$file"
    done
    diff snapshot proc
    [ "$(jq '.[0] | length' proc)" -eq 4 ] && [ "$(jq '.[1] | length' proc)" -eq 1 ]
}
