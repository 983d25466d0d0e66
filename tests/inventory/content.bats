#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a snapshot tells of certificates and keys, against what openssl and ssh-keygen tell of the same
# files; what it finds in them; and that no key ever leaves it.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for helpers.bash

load ../cmd/helpers

setup_file()
{
    check_environment
    file_needs openssl ssh-keygen strace || return 0
    D=$BATS_FILE_TMPDIR
    umask 022
    cd "$D" || return
    exec 2>"$D/made.err"
    make_certificates
    make_issued
    make_keys
    make_weak
    hold ./*.pem ./*.crt ./*.cer ./*.key ./*.der ./*.p12 ./id_*
    "$TOOL" snapshot --no-redact --output "$D/snapshot.json"
}

teardown_file()
{
    local pid

    [ -e "$BATS_FILE_TMPDIR/pids" ] || return 0
    while read -r pid; do
        kill -KILL "$pid" || :
    done <"$BATS_FILE_TMPDIR/pids"
}

setup()
{
    common_setup
    D=$BATS_FILE_TMPDIR
    cd "$D" || return
}

# hold FILE...: a process that has them open.
hold()
{
    local file args=()

    for file; do
        args+=(open "$file")
    done
    : >"$D/ready"
    (LD_PRELOAD=libssl.so.3 "$PROGRAMS/hold" "${args[@]}" </dev/null >"$D/ready" 3>&- & echo "$!" >>"$D/pids")
    wait_for 10 test -s "$D/ready"
}

make_certificates()
{
    openssl req -x509 -utf8 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -days 400 \
        -set_serial 0x0abc -subj "/C=DE/O=Müller, \"Söhne\" + Co/CN=a.example" \
        -addext 'subjectAltName=DNS:a.example,DNS:*.b.example,IP:192.0.2.1,IP:2001:db8::1,URI:https://c.example/d'
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout p256.key \
        -out p256.pem -days 400 -subj '/CN= space and #hash;' -addext basicConstraints=critical,CA:FALSE
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384 -nodes -keyout p384.key \
        -out p384.crt -days 20000 -subj '/CN=far'
    openssl req -x509 -newkey ed25519 -nodes -keyout ed25519.key -out ed25519.pem -days 400 \
        -subj '/CN=ed'
    openssl x509 -in rsa.pem -outform DER -out rsa.cer
}

# issue NAME SUBJECT CA EXTENSIONS [OPTION]
issue()
{
    openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.request" -subj "$2"
    openssl x509 -req -in "$1.request" -CA "$3.crt" -CAkey "$3.key" -CAcreateserial -days 400 \
        ${5:+"$5"} -extfile <(printf '%s\n' "$4") -out "$1.crt"
}

make_issued()
{
    openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 400 -subj /CN=Root
    issue middle /CN=Middle root basicConstraints=CA:TRUE
    issue leaf /CN=leaf.example middle subjectAltName=DNS:leaf.example,DNS:other.example
    issue mail /CN=mail.example root 'subjectAltName=email:postmaster@mail.example'
    # The name of its issuer, but another key.
    issue renewed /CN=Root root basicConstraints=CA:TRUE
    cat leaf.crt middle.crt root.crt >chain.pem
}

make_keys()
{
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pkcs8.key
    openssl pkcs8 -topk8 -in pkcs8.key -out pkcs8-locked.key -passout pass:secret
    openssl rsa -in pkcs8.key -traditional -out pkcs1.key
    openssl rsa -in pkcs8.key -traditional -aes128 -passout pass:secret -out pkcs1-locked.key
    openssl ecparam -name prime256v1 -genkey -noout -out sec1.key
    openssl pkcs8 -topk8 -nocrypt -in sec1.key -outform DER -out key.der
    openssl rsa -in pkcs8.key -pubout -out public.pem
    openssl genpkey -algorithm X25519 -out x25519.key
    openssl pkcs12 -export -inkey rsa.key -in rsa.pem -passout pass:secret -out store.p12
    ssh-keygen -q -t ed25519 -N '' -f id_ed25519
    ssh-keygen -q -t ecdsa -b 384 -N secret -f id_ecdsa
    ssh-keygen -q -t rsa -b 2048 -N '' -f id_rsa
    cp p256.pem certificate.key
    cp sec1.key key.crt
    chmod 600 ./*.key ./*.der ./*.p12 key.crt id_rsa id_ecdsa id_ed25519
    chmod 640 pkcs1.key
    chown nobody sec1.key
}

# dated NAME FROM TO: a certificate of these days.
dated()
{
    mkdir "$1.ca"
    : >"$1.ca/index"
    cat >"$1.ca/conf" <<EOF
[ca]
default_ca = here
[here]
database = $1.ca/index
new_certs_dir = $1.ca
default_md = sha256
policy = any
rand_serial = yes
[any]
commonName = supplied
EOF
    openssl req -new -key rsa.key -out "$1.request" -subj "/CN=$1"
    openssl ca -batch -notext -config "$1.ca/conf" -selfsign -keyfile rsa.key -in "$1.request" \
        -startdate "$(date -u -d "$2" +%Y%m%d%H%M%SZ)" -enddate "$(date -u -d "$3" +%Y%m%d%H%M%SZ)" \
        -out "$1.crt"
}

make_weak()
{
    dated expired '-40 days' '-3 days -1 hour'
    dated soon '-40 days' '10 days 1 hour'
    dated early '5 days' '90 days'
    openssl req -x509 -newkey rsa:1024 -nodes -keyout short.key -out short.pem -days 400 -subj /CN=short
    issue sha1 /CN=sha1 root basicConstraints=CA:FALSE -sha1
    openssl req -x509 -key rsa.key -md5 -out md5.pem -days 400 -subj /CN=md5
    openssl ecparam -name secp160r1 -genkey -noout -out secp160.key
    cp pkcs8.key open.key
    cp pkcs8.key writable.key
    cp pkcs8-locked.key open-locked.key
    chmod 600 short.key secp160.key
    chmod 644 open.key open-locked.key
    chmod 666 writable.key
}

# certificate FILE: what openssl tells of the certificate, as the tool does.
certificate()
{
    local text

    text=$(openssl x509 -in "$1" -noout -text)
    {
        openssl x509 -in "$1" -noout -subject -issuer -nameopt RFC2253,utf8,-esc_msb
        openssl x509 -in "$1" -noout -serial | tr 'A-F' 'a-f'
        openssl x509 -in "$1" -noout -dates -dateopt iso_8601 |
            sed -E 's/notBefore/not_before/; s/notAfter/not_after/; s/ /T/; s/Z$/.000000Z/'
        echo "fingerprint_sha256=$(openssl x509 -in "$1" -outform DER | sha256sum | cut -d ' ' -f 1)"
        echo "key_bits=$(sed -nE 's/.*Public-Key: \(([0-9]+) bit\)/\1/p' <<<"$text")"
        case $text in
        *'Public Key Algorithm: rsaEncryption'*) echo key_type=RSA ;;
        *'Public Key Algorithm: id-ecPublicKey'*) echo key_type=EC ;;
        *'Public Key Algorithm: ED25519'*) printf '%s\n' key_type=Ed25519 ;;
        esac
        sed -nE 's/ *NIST CURVE: /curve=/p' <<<"$text"
        case $text in *CA:TRUE*) echo ca=true ;; *) echo ca=false ;; esac
        echo "sans=$(openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null |
            sed -nE '2s/^ *//p' |
            sed 's/IP Address:/IP:/g; s/, /,/g; s/2001:DB8:0:0:0:0:0:1/2001:db8::1/')"
        if is_self_signed "$1"; then echo self_signed=true; else echo self_signed=false; fi
    } | sort
}

# Whether the key in the certificate FILE has signed it. That it has expired or is weak is no matter.
is_self_signed()
{
    [ "$(openssl x509 -in "$1" -noout -subject_hash)" = \
        "$(openssl x509 -in "$1" -noout -issuer_hash)" ] || return 1
    openssl verify -auth_level 0 -no_check_time -check_ss_sig -CAfile "$1" "$1" >/dev/null 2>&1
}

# told FILE INDEX: the same of what the tool told.
told()
{
    jq -r --arg file "$D/$1" --argjson index "$2" '
        [.certificates[] | select(.file == $file)][$index] |
        (.sans // [] | join(",")) as $sans |
        if .curve then . else del(.curve) end |
        if .key_bits then . else .key_bits = "" end |
        {subject, issuer, serial, not_before, not_after, fingerprint_sha256, key_type, key_bits,
         ca, self_signed, sans: $sans, curve} |
        to_entries[] | select(.value != null) | "\(.key)=\(.value)"' snapshot.json | sort
}

@test "certificates are told as openssl tells them" {
    local file

    for file in rsa.pem p256.pem p384.crt root.crt leaf.crt sha1.crt short.pem expired.crt; do
        diff <(certificate "$file") <(told "$file" 0)
    done
    diff <(certificate ed25519.pem | grep -v key_bits) <(told ed25519.pem 0 | grep -v key_bits)
    diff <(certificate rsa.pem) <(told rsa.cer 0)
}

@test "a certificate with its issuer's name and another key is not self-signed" {
    [ "$(told renewed.crt 0 | grep self_signed)" = self_signed=false ]
    [ "$(told root.crt 0 | grep self_signed)" = self_signed=true ]
}

@test "an address in a certificate is no secret" {
    diff <(certificate mail.crt) <(told mail.crt 0)
}

@test "all of a chain, in its order" {
    local i=0 file

    for file in leaf.crt middle.crt root.crt; do
        diff <(certificate "$file") <(told chain.pem "$i")
        i=$((i + 1))
    done
    [ "$(jq -c --arg file "$D/chain.pem" '[.certificates[] | select(.file == $file)] |
        map([.position, .chain])' snapshot.json)" = '[[0,"leaf"],[1,"intermediate"],[2,"root"]]' ]
}

@test "days left and signature algorithms" {
    local file

    days()
    {
        jq --arg file "$D/$1" '.certificates[] | select(.file == $file).days_left' snapshot.json
    }
    [ "$(days expired.crt)" -eq -4 ]
    [ "$(days soon.crt)" -eq 10 ]
    [ "$(days rsa.pem)" -eq 399 ]
    for file in rsa.pem=RSA-SHA256 p256.pem=ECDSA-SHA256 p384.crt=ECDSA-SHA384 \
        ed25519.pem=Ed25519 sha1.crt=RSA-SHA1 md5.pem=RSA-MD5; do
        [ "$(jq -r --arg file "$D/${file%=*}" '.certificates[] |
            select(.file == $file).signature_algorithm' snapshot.json)" = "${file#*=}" ]
    done
}

@test "keys: type, format, size, curve, private, encrypted, mode and owner" {
    jq -r --arg dir "$D/" '.keys[] | select(.file | startswith($dir)) |
        "\(.file | ltrimstr($dir)) \(.type) \(.format) \(.bits) \(.curve) \(if .private then "private" else "public" end) \(.encrypted) \(.mode) \(.owner)"
        ' snapshot.json | grep -E '^(pkcs|sec1|key|public|x25519|store|id_|certificate)' | sort >"$T/told"
    sort >"$T/expected" <<'EOF'
pkcs8.key RSA PKCS#8 2048 null private false 0600 root
pkcs8-locked.key null PKCS#8 null null private true 0600 root
pkcs1.key RSA PKCS#1 2048 null private false 0640 root
pkcs1-locked.key RSA PKCS#1 null null private true 0600 root
sec1.key EC SEC1 256 P-256 private false 0600 nobody
key.crt EC SEC1 256 P-256 private false 0600 root
key.der EC PKCS#8 256 P-256 private false 0600 root
public.pem RSA SPKI 2048 null public false 0644 root
x25519.key X25519 PKCS#8 256 null private false 0600 root
id_ed25519 Ed25519 OpenSSH 256 null private false 0600 root
id_ecdsa EC OpenSSH 384 P-384 private true 0600 root
id_rsa RSA OpenSSH 2048 null private false 0600 root
store.p12 null PKCS#12 null null private true 0600 root
EOF
    diff "$T/expected" <(grep -v '\.pub ' "$T/told")
}

@test "a certificate by the name of a key, a key by that of a certificate" {
    diff <(certificate p256.pem) <(told certificate.key 0)
    [ "$(jq --arg file "$D/certificate.key" '[.keys[] | select(.file == $file)] | length' \
        snapshot.json)" -eq 0 ]
    [ "$(jq --arg file "$D/key.crt" '[.certificates[] | select(.file == $file)] | length' \
        snapshot.json)" -eq 0 ]
}

@test "findings: what is weak, and nothing else" {
    jq -r --arg dir "$D/" '.findings[] | select(.file | startswith($dir)) |
        "\(.file | ltrimstr($dir)) \(.severity) \(.rule)"' snapshot.json | sort >"$T/told"
    sort >"$T/expected" <<'EOF'
expired.crt high certificate_expired
soon.crt medium certificate_expires_soon
early.crt medium certificate_not_yet_valid
short.pem high rsa_key_short
short.key high rsa_key_short
sha1.crt high sha1_signature
md5.pem critical md5_signature
secp160.key high ec_key_short
open.key high private_key_readable
writable.key critical private_key_writable
writable.key high private_key_readable
EOF
    diff "$T/expected" <(grep -v '^open-locked' "$T/told")
    refute grep '^open-locked' "$T/told"
}

@test "the worst first" {
    jq -e '["critical", "high", "medium", "low", "info"] as $order |
        [.findings[].severity] | length > 8 and . == sort_by(. as $one | $order | index($one))' \
        snapshot.json
    jq -e 'all(.findings[]; (.why | length) > 10 and (.processes | length) > 0 and .file)' snapshot.json
}

# alone FILE... -- ARG...: the tool in a pid namespace with a process that has FILEs open.
alone()
{
    local args=()

    while [ "$1" != -- ]; do
        args+=(open "$1")
        shift
    done
    shift
    # shellcheck disable=SC2016 # for the inner shell
    printf '%s\n' 'hold=$1 tool=$2 nr=$3; shift 3' \
        '"$hold" "${@:1:$nr}" >ready 2>/dev/null 3>&- & shift "$nr"' \
        'until [ -s ready ]; do sleep 0.01; done' \
        'setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-all "$tool" "$@"' >"$T/init"
    : >ready
    status=0
    timeout 60 unshare -pf --kill-child --mount-proc bash "$T/init" "$PROGRAMS/hold" "$TOOL" \
        "${#args[@]}" "${args[@]}" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

@test "--fail-on: status 10 for a finding as bad, 0 for lesser ones" {
    alone open.key -- snapshot --fail-on high
    must_be 10
    jq -e '.findings | length == 1' "$OUT"
    alone open.key -- snapshot --fail-on medium
    must_be 10
    alone open.key -- snapshot --fail-on critical
    must_be 0
    alone soon.crt -- snapshot --fail-on high
    must_be 0
    alone rsa.pem rsa.key -- snapshot --fail-on info
    must_be 0
    jq -e '.findings == [] and (.certificates | length) == 1' "$OUT"
    alone md5.pem -- snapshot --fail-on critical --format summary
    must_be 10
}

# traced ARG...: the tool under strace: the files that any of its processes opens, but for the types
# of the kernel that it puts together for libbpf.
traced()
{
    leaks_unseen
    strace -f -y -qq -e trace=open,openat,openat2 -o "$T/trace" "$TOOL" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&-
    grep -v '</memfd:crypto-tracer-types[ >]' "$T/trace" |
        grep -E "$D/|/map_files/|/exe\"|/proc/self/fd/|/proc/[0-9]+/fd/|\.(pem|key|crt)\"" >"$T/opened" || :
}

@test "--no-inspect opens nothing to look into it" {
    traced snapshot
    grep -q '/map_files/' "$T/opened"
    grep -q '/proc/self/fd/' "$T/opened"
    traced snapshot --no-inspect --no-redact
    cat "$T/opened"
    [ ! -s "$T/opened" ]
    jq -e --arg file "$D/rsa.pem" '.certificates == null and .keys == null and .findings == [] and
        .coverage.files_examined == 0 and
        any(.coverage.not_seen[]; .why == "--no-inspect") and
        any(.processes[].open_crypto_files[]; . == $file)' "$OUT"
    traced libs --no-inspect
    # Of the package database it opens what it needs.
    refute grep -v '"/proc/self/fd/' "$T/opened"
    jq -e 'all(.libraries[]; .version == null and .build_id == null)' "$OUT"
    traced files --open --no-inspect
    [ ! -s "$T/opened" ]
    refute grep -q '"certificates"\|"keys"' "$OUT"
}

# runs FILE: every run of 12 characters of the base64 in FILE, and of its bytes in hexadecimal 24.
runs()
{
    awk '/^-----/ { next } { text = text $0 } END {
        for (i = 1; i + 11 <= length(text); i++)
            print substr(text, i, 12) }' "$1"
    openssl pkey -in "$1" -noout -text 2>/dev/null | awk '
        /^[a-z]/ { is_secret = /^(priv|prime|exponent|coeff)/; next }
        is_secret { gsub(/[ :]/, ""); text = text $0 }
        END { for (i = 1; i + 23 <= length(text); i += 2) print substr(text, i, 24) }'
}

@test "no byte of a key is ever written" {
    local file

    for file in pkcs8.key sec1.key pkcs1.key id_ed25519 pkcs8-locked.key; do
        runs "$file"
    done >"$T/all"
    # The header that all keys of a kind share is no secret.
    awk '{ seen[$0]++ } END { for (run in seen) if (seen[run] == 1) print run }' "$T/all" >"$T/runs"
    [ "$(wc -l <"$T/runs")" -gt 3000 ]
    grep -qFf "$T/runs" pkcs8.key
    leaks_unseen
    strace -f -qq -e trace=write,writev,pwrite64,pwritev,sendto,sendmsg,sendfile,splice -s 100000 \
        -o "$T/trace" "$TOOL" snapshot --no-redact >"$OUT" 2>"$ERR" </dev/null 3>&-
    grep -q 'write(' "$T/trace"
    [ "$(jq --arg dir "$D/" '[.keys[] | select(.file | startswith($dir))] | length' "$OUT")" -gt 15 ]
    refute grep -oFf "$T/runs" "$T/trace"
    refute grep -oFf "$T/runs" "$OUT"
    refute grep -oFf "$T/runs" "$ERR"
    "$TOOL" files --open --no-redact >"$OUT" 2>"$ERR"
    refute grep -oFf "$T/runs" "$OUT"
    "$TOOL" snapshot --format summary >"$OUT" 2>"$ERR"
    refute grep -oFf "$T/runs" "$OUT"
}
