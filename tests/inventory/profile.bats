#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What `profile` tells of a process against the truth: /proc for what it has, strace for what it does,
# openssl for what is in its files. Trees of processes: trees.bats.

# shellcheck disable=SC2016 # sh -c expands for itself
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load ../cmd/helpers
load ../support/profile

LIBRARIES='/lib(ssl|crypto)[.]so[.0-9]*'

setup_file()
{
    check_environment
    file_needs openssl strace setpriv prlimit || return 0
    D=$BATS_FILE_TMPDIR
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/rsa.key" -out "$D/rsa.pem" -days 400 \
        -subj /CN=rsa.example 2>/dev/null
    openssl ecparam -name prime256v1 -genkey -noout -out "$D/ec.key"
    openssl req -x509 -key "$D/ec.key" -out "$D/ec.pem" -days 500 -subj /CN=ec.example
    openssl req -x509 -newkey rsa:1024 -nodes -keyout "$D/weak.key" -out "$D/weak.pem" -days 400 \
        -subj /CN=weak.example 2>/dev/null
}

@test "idle process: the libraries that /proc/PID/maps has, of the start of the process" {
    PRELOAD=libssl.so.3 hold
    profile --pid "$held" --duration 0.1
    must_be 0
    grep -oE "/[^ ]*$LIBRARIES" "/proc/$held/maps" | sort -u >"$T/maps"
    [ "$(wc -l <"$T/maps")" -eq 2 ]
    diff "$T/maps" <(doc_lines '.libraries[].path')
    doc_is '[.libraries[] | .name, .family, .origin, .stale]' \
        '["libcrypto.so.3","openssl","snapshot",false,"libssl.so.3","openssl","snapshot",false]'
    doc_is '.libraries | map(.version) | unique' "[\"$(openssl version | cut -d ' ' -f 2)\"]"
    doc_is '[.process.start_time] == (.libraries | map(.load_time) | unique)' true
    near "$(jq -r .process.start_time "$DOC")" "$(start_of "$held")" 0.1
    doc_is '.crypto_providers | map([.name, .version, .linkage])' \
        "[[\"openssl\",\"$(openssl version | cut -d ' ' -f 2)\",\"dynamic\"]]"
}

@test "idle process: the files that /proc/PID/fd has, how they are open, how often" {
    cp "$D/rsa.pem" "$D/ec.pem" "$D/ec.key" "$T"
    hold open "$T/rsa.pem" open "$T/rsa.pem" write "$T/ec.pem" open "$T/ec.key" write "$T/ec.key"
    profile --no-redact --pid "$held" --duration 0.1
    must_be 0
    find "/proc/$held/fd" -printf '%l\n' | grep -E '[.](pem|key)$' | sort | uniq -c |
        awk '{ print $2, $1 }' >"$T/fds"
    [ "$(wc -l <"$T/fds")" -eq 3 ]
    diff "$T/fds" <(doc_lines '.files_accessed[] | "\(.path) \(.access_count)"')
    doc_is '.files_accessed | map([.mode, .type, .origin, .failures])' \
        '[["read_write","private_key","snapshot",0],["write","certificate","snapshot",0],["read","certificate","snapshot",0]]'
    doc_is '.process.start_time as $at | .files_accessed |
        all(.first_access == $at and .last_access == $at)' true
    doc_is '[.statistics.total_events, .statistics.processes, .programs, .findings]' '[0,1,[],[]]'
}

@test "idle process: who it is, as /proc/PID/status and cmdline say" {
    AS=(setpriv --reuid 65533 --regid 65532 --clear-groups)
    hold chdir / chdir /tmp
    profile --pid "$held" --duration 0.1
    must_be 0
    doc_is '.process | [.pid, .ppid, .name, .uid, .gid]' "[$held,$(awk '
        $1 == "PPid:" { ppid = $2 } $1 == "Uid:" { uid = $2 } $1 == "Gid:" { gid = $2 }
        END { print ppid ",\"hold\"," uid "," gid }' "/proc/$held/status")]"
    doc_is '.process | [.uid, .gid]' '[65533,65532]'
    doc_is .process.exe "\"$(readlink "/proc/$held/exe")\""
    doc_is .process.cmdline "\"$(tr '\0' ' ' <"/proc/$held/cmdline" | sed 's/ $//')\""
    doc_is '[.process, .] | map(has("exit_code") or has("processes"))' '[false,false]'
}

@test "a library that is not on disk any more is stale" {
    cp "$(ldconfig -p | awk '$1 == "libcrypto.so.3" { print $NF; exit }')" "$T/libcrypto.so.3"
    hold map "$T/libcrypto.so.3" unlink "$T/libcrypto.so.3"
    profile --no-redact --pid "$held" --duration 0.1
    doc_is '.libraries | map([.path, .stale, .origin])' "[[\"$T/libcrypto.so.3\",true,\"snapshot\"]]"
}

@test "what it does during the run is added to what it had" {
    local before

    cp "$D/rsa.pem" "$T"
    PRELOAD=libssl.so.3 HOLD=$PROGRAMS/puppet
    puppet_start p env LD_PRELOAD=libcrypto.so.3
    profile_start --no-redact --pid "${PUPPET[p]}"
    before=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
    puppet p open "$T/rsa.pem"
    puppet p map "$(ldconfig -p | awk '$1 == "libssl.so.3" { print $NF; exit }')"
    puppet p open /none.pem
    puppet p burst 3 "$T/rsa.pem"
    profile_stop
    doc_is '.libraries | map([.name, .origin])' \
        '[["libcrypto.so.3","snapshot"],["libssl.so.3","event"]]'
    doc_is '.files_accessed | map([.path, .access_count, .failures, .last_error, .mode, .origin])' \
        "[[\"/none.pem\",0,1,\"ENOENT\",null,\"event\"],[\"$T/rsa.pem\",4,0,null,\"read\",\"event\"]]"
    doc_has ".process.start_time < \"$before\" and .libraries[1].load_time > \"$before\" and
        (.files_accessed | all(.first_access > \"$before\")) and
        .files_accessed[1].first_access < .files_accessed[0].first_access and
        .files_accessed[0].first_access < .files_accessed[1].last_access"
    # libssl does not tell its version, that beside it does.
    doc_is '.libraries | map(.version) | unique' "[\"$(openssl version | cut -d ' ' -f 2)\"]"
}

@test "what is opened while the run begins counts once" {
    local opened

    # Opened one after the other, and kept, before, during and after the look at what is there.
    mkdir "$T/kept"
    prlimit --nofile=20000 "$PROGRAMS/tree" keep "$T/kept" </dev/null >/dev/null 2>&1 3>&- &
    HELD+=("$!")
    wait_for 10 test -e "$T/kept/20.pem"
    profile_start --no-redact --pid "$!" --no-inspect
    opened=$(find "$T/kept" -name '*.pem' | wc -l)
    wait_for 10 test -e "$T/kept/$((opened + 20)).pem"
    : >"$T/kept/stop"
    wait_for 10 test -s "$T/kept/opened"
    profile_stop
    doc_is '.files_accessed | length' "$(cat "$T/kept/opened")"
    # Some of each, or nothing was tried.
    doc_is '.files_accessed | map(.origin) | unique' '["event","snapshot"]'
    doc_is '.files_accessed | map(.access_count) | unique' '[1]'
}

@test "COMMAND: exactly the crypto files and libraries that strace sees" {
    profile --no-redact -- openssl x509 -in "$D/rsa.pem" -noout -subject
    must_be 0
    strace -f -e trace=openat,open -o "$T/strace" openssl x509 -in "$D/rsa.pem" -noout >/dev/null
    sed -nE 's/.*open(at)?\((AT_FDCWD, )?"([^"]*[.](pem|cnf|crt))".* = [0-9]+$/\3/p' "$T/strace" | sort |
        uniq -c | awk '{ print $2, $1 }' >"$T/files"
    sed -nE "s%.*\"([^\"]*$LIBRARIES)\".* = [0-9]+\$%\\1%p" "$T/strace" |
        xargs realpath | sort -u >"$T/libraries"
    grep -qxF "$D/rsa.pem 1" "$T/files"
    diff "$T/files" <(doc_lines '.files_accessed[] | "\(.path) \(.access_count)"')
    [ "$(wc -l <"$T/libraries")" -eq 2 ]
    diff "$T/libraries" <(doc_lines '.libraries[].path')
    doc_is '[.libraries, .files_accessed] | flatten | map(.origin) | unique' '["event"]'
    doc_is '.programs | map(.exe)' "[\"$(realpath "$(command -v openssl)")\"]"
    doc_is '.process | [.name, .exe, .cmdline, .exit_code]' "[\"openssl\",\"$(realpath \
        "$(command -v openssl)")\",\"openssl x509 -in $D/rsa.pem -noout -subject\",0]"
    doc_has '.process.start_time < .libraries[0].load_time'
}

@test "COMMAND: what its process had before it began is this tool's, and not told" {
    profile -- /bin/true
    must_be 0
    doc_is '[.libraries, .files_accessed, .crypto_providers, .certificates]' '[[],[],[],[]]'
    doc_is '.process | [.name, .cmdline, .exe]' "[\"true\",\"/bin/true\",\"$(realpath /bin/true)\"]"
    doc_is '.statistics | [.total_events, .programs_executed]' '[2,1]'
}

@test "COMMAND: a script with children: counts, failures and errors as strace has them" {
    cp "$D/rsa.pem" "$T/a.pem"
    : >"$T/secret.pem"
    chmod 0 "$T/secret.pem"
    cat >"$T/script" <<'EOF'
for i in 1 2 3; do cat a.pem; done >/dev/null
cat none.pem
cat secret.pem
cat secret.pem none.pem
cat a.pem >/dev/null
EOF
    cd "$T"
    AS=(setpriv --reuid nobody --clear-groups)
    chmod 777 "$T"
    "${AS[@]}" strace -f -e trace=openat,open -o "$T/strace" sh "$T/script" 2>/dev/null || :
    sed -nE 's/.*open(at)?\((AT_FDCWD, )?"([^"\/]*[.]pem)".* = (-1 )?(E[A-Z]+|[0-9]).*/\3 \5/p' \
        "$T/strace" | sed -E 's/ [0-9]+$/ ok/' | sort | uniq -c | awk '{ print $2, $3, $1 }' >"$T/truth"
    profile --no-redact --user nobody -- sh "$T/script"
    must_be 0
    diff "$T/truth" <(printf '%s\n' 'a.pem ok 4' 'none.pem ENOENT 2' 'secret.pem EACCES 2')
    diff "$T/truth" <(doc_lines '.files_accessed[] | select(.path | endswith(".pem")) |
        "\(.path | sub(".*/"; "")) \(.last_error // "ok") \(.access_count + .failures)"')
    file_is "$T/none.pem" '[.access_count, .failures, .mode]' '[0,2,null]'
    file_is "$T/a.pem" '[.access_count, .failures, .mode, .first_access < .last_access]' \
        '[4,0,"read",true]'
    doc_is '.process | [.uid, .name]' "[$(id -u nobody),\"sh\"]"
    # sh, and a cat for each line of the loop and behind it; the shell may become the last one.
    doc_is '.programs | map(.exe | sub(".*/"; "")) | .[1:] | unique' '["cat"]'
    doc_is '.statistics | [.programs_executed, .failed_accesses]' '[8,4]'
}

@test "a file that could be opened after all keeps its failures" {
    profile --no-redact -- sh -c 'cat "$0"; cat "$1" >"$0"; cat "$0" >/dev/null' "$T/x.pem" "$D/rsa.pem"
    must_be 0
    file_is "$T/x.pem" '[.failures, .last_error, .access_count, .mode, .type]' \
        '[1,"ENOENT",2,"read_write","certificate"]'
    doc_has '.certificates | map(.file) | contains(["'"$T/x.pem"'"])'
}

@test "20,000 files: all of them, with no event lost" {
    # However late it is: they all fit.
    printf 'series 20000 %s\nexit 0\n' /none | timeout 60 "$TOOL" profile -q --output "$T/doc" \
        --buffer-size 16M -- "$PROGRAMS/puppet" >"$OUT" 2>"$ERR" 3>&-
    DOC=$T/doc
    profile_check
    doc_is '.coverage.sources[] | select(.name == "file_open").lost.ring_full' 0
    doc_is '.statistics | [.files_accessed, .failed_accesses]' '[20000,20000]'
}

@test "mode: read, write and read_write" {
    for i in r w u rw; do : >"$T/$i.pem"; done
    profile --no-redact -- sh -c 'cd "$0"; : <r.pem; : >w.pem; : >>w.pem; : <>u.pem; : <rw.pem; : >rw.pem' \
        "$T"
    must_be 0
    doc_is '.files_accessed | map([(.path | sub(".*/"; "")), .mode, .access_count])' \
        '[["r.pem","read",1],["rw.pem","read_write",2],["u.pem","read_write",1],["w.pem","write",2]]'
}

@test "certificates: what openssl says of them" {
    local name

    profile --no-redact -- sh -c 'cat "$0"/rsa.pem "$0"/ec.pem "$0"/rsa.pem >/dev/null' "$D"
    must_be 0
    doc_is '.certificates | length' 2
    for name in rsa ec; do
        openssl x509 -in "$D/$name.pem" -noout -serial -fingerprint -sha256 | sed 's/.*=//; s/://g' |
            tr '[:upper:]' '[:lower:]' | paste -sd ' ' >>"$T/truth"
    done
    diff <(sort "$T/truth") <(doc_lines '.certificates[] | "\(.serial) \(.fingerprint_sha256)"')
    doc_is '.certificates | map([.file, .subject, .key_type, .key_bits, .self_signed]) | sort' \
        "[[\"$D/ec.pem\",\"CN=ec.example\",\"EC\",256,true],[\"$D/rsa.pem\",\"CN=rsa.example\",\"RSA\",2048,true]]"
}

@test "keys: what they are, and not a byte of them" {
    profile --no-redact -- sh -c 'cat "$0"/rsa.key "$0"/ec.key >/dev/null' "$D"
    must_be 0
    openssl pkey -in "$D/rsa.key" -noout -text | grep -q '2048 bit'
    doc_is '.keys | map([.file, .type, .bits, .private, .encrypted]) | sort' \
        "[[\"$D/ec.key\",\"EC\",256,true,false],[\"$D/rsa.key\",\"RSA\",2048,true,false]]"
    refute grep -qF "$(sed -n 2p "$D/rsa.key")" "$DOC"
    doc_is '.files_accessed | map(.type) | unique' '["private_key"]'
}

@test "findings of what it opens, the worst first; CA bundles are no certificates of its own" {
    for _ in $(seq 30); do cat "$D/rsa.pem" "$D/ec.pem"; done >"$T/ca-certificates.crt"
    profile --no-redact -- sh -c 'cat "$0"/weak.pem "$0"/weak.key "$1"/ca-certificates.crt >/dev/null' \
        "$D" "$T"
    must_be 0
    doc_has '.findings | map(.rule) | contains(["rsa_key_short"])'
    doc_is '.findings | map(.file | sub(".*/"; "")) | unique - ["weak.pem", "weak.key"]' '[]'
    file_is "$T/ca-certificates.crt" '[.kind, .access_count]' '["ca_bundle",1]'
    doc_is '.certificates | map(.subject)' '["CN=weak.example"]'
    profile --no-redact --no-inspect -- cat "$D/weak.pem"
    doc_is '[.certificates, .findings, (.files_accessed | length)]' '[[],[],1]'
}

@test "a target that executes another program" {
    puppet_start p
    profile_start --no-redact --pid "${PUPPET[p]}"
    puppet p open /before.pem
    puppet_exec p env LD_PRELOAD=libssl.so.3 PASSWORD=x "$PROGRAMS/puppet" extra
    puppet p open /after.pem
    profile_stop
    doc_is '.programs | map(.exe)' "[\"$(realpath "$(command -v env)")\",\"$(realpath "$PROGRAMS/puppet")\"]"
    doc_is '.process | [.pid, .name, .exe, .cmdline]' \
        "[${PUPPET[p]},\"puppet\",\"$(realpath "$PROGRAMS/puppet")\",\"$PROGRAMS/puppet extra\"]"
    doc_is '.files_accessed | map(.path)' '["/after.pem","/before.pem"]'
    doc_is '.libraries | map([.name, .origin])' '[["libcrypto.so.3","event"],["libssl.so.3","event"]]'
    near "$(jq -r .process.start_time "$DOC")" "$(start_of "${PUPPET[p]}")" 0.1
}

@test "odd names: line feed, bytes that are no UTF-8, quotes" {
    cp "$D/rsa.pem" "$T/"$'line\nfeed.pem'
    cp "$D/rsa.pem" "$T/"$'\xff\xfe.pem'
    cp "$D/rsa.pem" "$T/\"quote\\.pem"
    profile --no-redact -- sh -c 'cat "$0"/*.pem >/dev/null' "$T"
    must_be 0
    doc_is '.files_accessed | length' 3
    doc_has ".files_accessed | map(.path) | contains([\"$T/line\\nfeed.pem\", \"$T/\\\"quote\\\\.pem\"]) and
        any(endswith(\"\\ufffd.pem\"))"
    doc_is '.certificates | length' 3
}
