#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# snapshot and libs with real programs: what they say of each is what lsof, ps, ldd and the program
# itself say.

load inventory

# has_openssl PID: one provider openssl, of the version that the library says when it is asked, and
# the library is of the package that has it.
has_openssl()
{
    local library version

    library=$(path_of "$1" libcrypto)
    version=$(openssl_version "$library")
    diff - <(provider "$1" openssl) <<<"$version dynamic mapped high"
    diff - <(libs_of "$1" libcrypto '.family, .version, .package, .stale') <<EOL
openssl
$version
$(package_of "$library")
false
EOL
    [ "$(libs_of "$1" libcrypto .build_id)" = "$(file_build_id "$library")" ]
}

file_build_id()
{
    readelf -n "$1" | sed -n 's/.*Build ID: //p'
}

@test "nginx: the master and a worker of another user" {
    needs nginx lsof ldd readelf
    cat >nginx.conf <<EOC
user $(id -un nobody) $(id -gn nobody);
worker_processes 1;
daemon off;
pid $T/nginx.pid;
error_log $T/nginx.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $T/body;
    proxy_temp_path $T/proxy;
    fastcgi_temp_path $T/fastcgi;
    uwsgi_temp_path $T/uwsgi;
    scgi_temp_path $T/scgi;
    server {
        listen 127.0.0.1:$PORT ssl;
        ssl_certificate $T/server.crt;
        ssl_certificate_key $T/server.key;
    }
}
EOC
    stay nginx -p "$T" -e nginx.log -c nginx.conf
    serving
    tls_works
    worker=$(pgrep -P "$STAYS")
    take "$STAYS" "$worker"
    [ "$(jq -r .running_as "process.$STAYS")" = root ]
    [ "$(jq -r .running_as "process.$worker")" = nobody ]
    for pid in "$STAYS" "$worker"; do
        maps_linked "$pid" nginx
        has_openssl "$pid"
        # It has read them and closed them.
        [ "$(jq -c .open_crypto_files "process.$pid")" = '[]' ]
    done
    # What nginx says it runs with, where that differs from what it was built with.
    nginx -V 2>&1 | grep -oE '(built|running) with OpenSSL [^ ]+' | sed -n '$s/.* //p' >version
    diff version <(provider "$STAYS" openssl | cut -d' ' -f1)
}

@test "redis-server with TLS" {
    needs redis-server lsof ldd readelf
    stay redis-server --port 0 --tls-port "$PORT" --bind 127.0.0.1 --save '' --dir "$T" \
        --tls-cert-file server.crt --tls-key-file server.key --tls-ca-cert-file server.crt \
        --tls-auth-clients no
    serving
    tls_works
    take "$STAYS"
    maps_linked "$STAYS" redis-server
    has_openssl "$STAYS"
}

@test "sshd" {
    needs sshd ssh-keygen ssh-keyscan lsof ldd readelf
    ssh-keygen -q -t ed25519 -N '' -f host_key
    # The folder that it wants below /run is made where nobody else sees it.
    # shellcheck disable=SC2016 # for the inner shell
    stay unshare -m sh -c 'mount -t tmpfs none /run && mkdir /run/sshd && exec "$@"' sh \
        "$(command -v sshd)" -D -e -f /dev/null -h "$T/host_key" -p "$PORT" \
        -o ListenAddress=127.0.0.1 -o PidFile=none
    serving
    diff <(cut -d' ' -f2 host_key.pub) \
        <(ssh-keyscan -p "$PORT" -t ed25519 127.0.0.1 2>keyscan.err | cut -d' ' -f3)
    take "$STAYS"
    maps_linked "$STAYS" sshd
    has_openssl "$STAYS"
    [ "$(jq -r .running_as "process.$STAYS")" = root ]
}

python_holds()
{
    stay "$PYTHON" -c '
import ssl, sys
files = [open(name) for name in sys.argv[1:]]
print("holds", flush=True)
sys.stdin.read()' "$@"
    said holds
}

# certificate_facts FILE: as openssl tells them, in the shape of an item of certificates.
certificate_facts()
{
    local subject serial start end fingerprint

    subject=$(openssl x509 -in "$1" -noout -subject -nameopt RFC2253)
    serial=$(openssl x509 -in "$1" -noout -serial)
    start=$(date -u -d "$(openssl x509 -in "$1" -noout -startdate | cut -d= -f2)" +%FT%T.000000Z)
    end=$(date -u -d "$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)" +%FT%T.000000Z)
    fingerprint=$(openssl x509 -in "$1" -outform DER | sha256sum | cut -d' ' -f1)
    printf '%s\n' "$PWD/$1" "${subject#subject=}" "${subject#subject=}" "${serial#serial=}" \
        "$start" "$end" "$fingerprint" EC 256 P-256 true DNS:localhost,IP:127.0.0.1
}

# key_facts FILE: type, size, curve, mode and owner.
key_facts()
{
    openssl pkey -in "$1" -noout -text | sed -nE \
        's/^(Private-Key|RSA Private-Key): \(([0-9]+) bit.*/\2/p; s/^NIST CURVE: //p' | paste -sd' '
    stat -c '0%a %U' "$1"
}

# keys_of PID: the items of keys that it has open.
keys_of()
{
    jq -cS --argjson pid "$1" '.keys[] | select(any(.processes[]; .pid == $pid))' snapshot.json
}

@test "python: a certificate and a key that it has open, as openssl tells them" {
    needs lsof sha256sum
    chmod 640 server.key
    chown nobody server.key
    python_holds server.crt server.key
    take "$STAYS"
    has_openssl "$STAYS"
    diff <(provider "$STAYS" python | cut -d' ' -f2-) - <<<'dynamic mapped high'
    [ "$(jq -r '.open_crypto_files[]' "process.$STAYS" | wc -l)" -eq 2 ]
    jq -r --argjson pid "$STAYS" '.certificates[] | select(any(.processes[]; .pid == $pid)) |
        .file, .subject, .issuer, (.serial | ascii_upcase), .not_before, .not_after,
        .fingerprint_sha256, .key_type, .key_bits, .curve, .self_signed, (.sans | join(","))' \
        snapshot.json >told
    diff <(certificate_facts server.crt) told
    keys_of "$STAYS" | jq -r '"\(.bits) \(.curve)\n\(.mode) \(.owner)"' >told
    diff <(key_facts server.key) told
    diff - <(keys_of "$STAYS" | jq -r '.file, .type, .private, .encrypted') <<EOK
$T/server.key
EC
true
false
EOK
}

@test "a key that was removed, and one that was replaced, is still looked into" {
    needs lsof
    openssl genrsa -out old.key 3072 2>/dev/null
    python_holds server.key old.key
    take "$STAYS"
    [ "$(jq -c .deleted_files "process.$STAYS")" = '[]' ]
    keys_of "$STAYS" >before
    [ "$(jq -r '"\(.type) \(.bits)"' before | sort | paste -sd,)" = 'EC 256,RSA 3072' ]
    rm old.key
    cp stranger.key new.key
    mv new.key server.key
    take "$STAYS"
    diff before <(keys_of "$STAYS")
    diff - <(jq -r '.deleted_files[]' "process.$STAYS" | sort) <<EOD
$T/old.key
$T/server.key
EOD
}

# The OpenSSL of node may be the system's, or its own, inside of it.
@test "node: which OpenSSL it has, as node tells" {
    needs node lsof ldd
    stay node -e 'process.stdin.resume(); console.log("runs")'
    said runs
    take "$STAYS"
    version=$(node -p process.versions.openssl)
    if linked node | grep /libssl; then
        maps_linked "$STAYS" node
        diff - <(provider "$STAYS" openssl) <<<"${version%+*} dynamic mapped high"
    else
        nm -D --defined-only "$(command -v node)" | grep -q ' T SSL_CTX_new$'
        diff - <(provider "$STAYS" openssl) <<<"${version%+*} bundled exports,banner high"
        [ "$(jq -c .libraries "process.$STAYS")" = '[]' ]
    fi
}

@test "age: Go's version, packages, modules and settings" {
    needs age age-keygen lsof
    age-keygen -o key.txt 2>/dev/null
    stay age -r "$(age-keygen -y key.txt)" -o out hold
    settled hold
    take "$STAYS"
    "$HERE/buildinfo" "$(command -v age)" >truth
    version=$(jq -r '.version | ltrimstr("go") | sub(" .*"; "")' truth)
    jq -r '.crypto_providers[] | [.name, .version, .linkage, .confidence] | join(" ")' \
        "process.$STAYS" >told
    diff - told <<<"go $version static high"
    # Packages that do nothing themselves, or come with every program, are passed over.
    diff <(jq -r '.packages[] | select(test("^(crypto|golang\\.org/x/crypto)/")) |
            select(test("/internal|^crypto/(rand|subtle)$") | not)' truth) \
        <(jq -r '.crypto_providers[].evidence[] | select(. != "buildinfo")' "process.$STAYS" | sort)
    # What the format of age's files needs.
    for package in chacha20poly1305 curve25519 hkdf scrypt; do
        jq -e --arg package "golang.org/x/crypto/$package" \
            'any(.crypto_providers[].evidence[]; . == $package)' "process.$STAYS" >/dev/null
    done
    # Debian builds without modules; others list these.
    jq -r '.modules[] | select(.[0] | test("^(golang.org/x/crypto|filippo.io/)")) | join(" ")' \
        truth | sort >expected
    diff expected <(jq -r '.crypto_providers[].modules[]' "process.$STAYS" | sort)
    jq -r '.settings[] | select(test("^(CGO_ENABLED|DefaultGODEBUG|GOEXPERIMENT|GOFIPS140)="))' \
        truth | sort >expected
    diff expected <(jq -r '.crypto_providers[].settings[]' "process.$STAYS" | sort)
    if command -v go >/dev/null; then
        go version "$(command -v age)" | grep -q ": go$version\$"
    fi
    [ "$(jq -c .libraries "process.$STAYS")" = '[]' ]
}

@test "a program that was removed while it runs, and another put in its place" {
    needs age age-keygen tldr lsof
    age-keygen -o key.txt 2>/dev/null
    cp "$(command -v age)" program
    stay ./program -r "$(age-keygen -y key.txt)" -o out hold
    settled hold
    cp "$(command -v tldr)" new
    mv new program
    take "$STAYS"
    version=$("$HERE/buildinfo" "$(command -v age)" | jq -r '.version | ltrimstr("go")')
    jq -r '.crypto_providers[] | [.name, .version, .linkage] | join(" ")' "process.$STAYS" >told
    diff - told <<<"go $version static"
}

@test "OpenSSL built into a program, with symbols and without" {
    needs gcc strip lsof
    # Not every distribution has it.
    [ -e "$(gcc -print-file-name=libcrypto.a)" ] || skip "no libcrypto.a"
    cat >whole.c <<'EOC'
#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

int main(void)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size;

	if (!EVP_Digest("", 0, digest, &size, EVP_sha256(), NULL))
		return 1;
	puts(OpenSSL_version(OPENSSL_VERSION));
	fflush(stdout);
	return getchar();
}
EOC
    gcc -o whole whole.c -l:libcrypto.a -ldl -pthread
    strip -o stripped whole
    for program in whole stripped; do
        : >log
        stay "./$program"
        said OpenSSL
        take "$STAYS"
        [ "$(jq -c .libraries "process.$STAYS")" = '[]' ]
        diff - <(provider "$STAYS" openssl | cut -d' ' -f1,2) <<<"$(cut -d' ' -f2 log) static"
        jq -r '.crypto_providers[].evidence[]' "process.$STAYS" >"evidence.$program"
    done
    diff - evidence.whole <<<$'symbols\nbanner'
    diff - evidence.stripped <<<banner
}

# crate_version PROGRAM CRATE: as the names of source files in it, and Debian's package, tell.
crate_version()
{
    local version built package

    version=$(grep -aoE "/$2-[0-9]+\.[0-9]+\.[0-9]+/src" "$1" | sort -u |
        sed 's/.*-//; s,/src,,')
    [ -n "$version" ] || return
    if command -v dpkg-query >/dev/null; then
        package=$(dpkg-query -S "$1")
        # shellcheck disable=SC2016 # dpkg's variable
        built=$(dpkg-query -W -f '${X-Cargo-Built-Using}' "${package%%:*}" |
            grep -oE "rust-$2 \(= [0-9.]+" | sed 's/.* //')
        [ "$built" = "$version" ] || return
    fi
    echo "$version"
}

@test "tldr: the Rust crates that are built into it; hyperfine, with none, is not listed" {
    needs tldr hyperfine lsof
    program=$(command -v tldr)
    stay hyperfine -N 'cat hold'
    plain=$STAYS
    until_true only_child "$plain"
    stay tldr --render hold
    settled hold
    take "$STAYS"
    for crate in ring rustls; do
        version=$(crate_version "$program" "$crate")
        diff - <(provider "$STAYS" "$crate") <<<"$version static paths high"
        jq -r --arg crate "$crate" '.crypto_providers[] | select(.name == $crate) | .modules[]' \
            "process.$STAYS" >told
        diff - told <<<"$crate $version"
    done
    [ "$(jq -r '.crypto_providers[].name' "process.$STAYS" | sort | paste -sd' ')" = 'ring rustls' ]
    # It is a Rust program, too, and was looked at.
    grep -aqE 'clap[-_0-9.]*/src/' "$(command -v hyperfine)"
    kill -0 "$plain"
    [ -z "$(jq --argjson pid "$plain" '.processes[] | select(.pid == $pid)' snapshot.json)" ]
    [ -z "$(jq -r '.coverage.files[] | select(.file | test("hyperfine")) | .note' snapshot.json)" ]
}

@test "java: the machine is the provider" {
    needs java keytool lsof
    stay keytool -genkeypair -alias x -keyalg EC -keystore store.p12 -dname CN=x
    said 'password'
    settled libjvm.so
    take "$STAYS"
    diff - <(provider "$STAYS" java | cut -d' ' -f2-) <<<'dynamic mapped high'
    diff - <(libs_of "$STAYS" libjvm '.family, .path') <<EOJ
java
$(path_of "$STAYS" libjvm)
EOJ
    [ "$(libs_of "$STAYS" libjvm .package)" = "$(package_of "$(path_of "$STAYS" libjvm)")" ]
}
