#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `snapshot`: its formats, what it tells without privileges, what changed since another one, and what
# hostile files and failing outputs do to it. What it tells of processes and of files is compared with
# the truth in tests/inventory.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for helpers.bash

load helpers

NO_BPF=(setpriv '--bounding-set=-bpf,-perfmon,-sys_admin' --inh-caps=-all)
AS_NOBODY=(setpriv --reuid=nobody --regid=nogroup --clear-groups)

setup_file()
{
    check_environment
    file_needs openssl setpriv unshare || return 0
    D=$BATS_FILE_TMPDIR
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$D/server.key" -out "$D/server.pem" -days 400 \
        -subj /CN=server.example 2>/dev/null
    openssl req -x509 -key "$D/server.key" -out "$D/other.pem" -days 500 -subj /CN=other.example
    # Enough for a document that no pipe holds.
    for _ in $(seq 150); do cat "$D/server.pem" "$D/other.pem"; done >"$D/many.pem"
}

setup()
{
    common_setup
    D=$BATS_FILE_TMPDIR
    HELD=()
}

teardown()
{
    local pid

    for pid in "${HELD[@]}"; do
        if kill -KILL "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null || :; fi
    done
    common_teardown
}

# hold [VERB PATH]...: a process that has these; the last one is $held. PRELOAD are its libraries, AS
# a command that runs it.
hold()
{
    : >"$T/ready"
    "${AS[@]}" env LD_PRELOAD="${PRELOAD:-}" "$PROGRAMS/hold" "$@" </dev/null >"$T/ready" \
        2>"$T/hold.err" 3>&- &
    held=$!
    HELD+=("$held")
    wait_for 10 test -s "$T/ready" || { cat "$T/hold.err"; return 1; }
}

# snapshot [OPTION...]: to its end: document in $OUT, messages in $ERR, status in $status.
snapshot()
{
    status=0
    timeout -k 5 60 "${AS[@]}" "$TOOL" snapshot "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

# of_held JQ: of the process $held.
of_held()
{
    jq -c --argjson pid "$held" ".processes[] | select(.pid == \$pid) | $1" "$OUT"
}

@test "json: one document on one line, with all its parts" {
    snapshot
    must_be 0
    [ "$(wc -l <"$OUT")" -eq 1 ]
    [ "$(jq -c keys_unsorted "$OUT")" = '["schema_version","snapshot_version","generated_at","tool","hostname","kernel","processes","certificates","keys","findings","host_crypto","summary","coverage"]' ]
    jq -e --arg host "$(uname -n)" --arg kernel "$(uname -r)" '.snapshot_version == "1.0" and
        .schema_version == "1.0" and .hostname == $host and .kernel == $kernel and
        (.generated_at | test("^[0-9-]{10}T[0-9:]{8}[.][0-9]{6}Z$")) and
        (.processes | type) == "array" and (.host_crypto | has("ipsec") and has("dm_crypt"))' "$OUT"
    [ ! -s "$ERR" ]
}

# Names of members; of the lists that may be empty only that they are there.
members()
{
    jq -r 'paths | map(strings) | join(".")' "$OUT" | grep -vE '^(coverage[.]files|.*not_seen|processes)[.]' |
        sort -u
}

@test "json-pretty: as jq writes it, the same document" {
    hold open "$D/server.pem"
    snapshot --format json-pretty
    must_be 0
    diff "$OUT" <(jq . "$OUT")
    members >"$T/pretty"
    snapshot
    diff "$T/pretty" <(members)
}

@test "summary: at most 80 columns, whatever the names" {
    local long

    long=$(printf '%0200d' 0)
    mkdir -p "$T/$long/ünïcödé-$long"
    openssl req -x509 -utf8 -newkey rsa:1024 -nodes -keyout "$T/$long/$long.key" -days 3 2>/dev/null \
        -out "$T/$long/ünïcödé-$long/ß.pem" -subj "/O=$(printf 'Ä%.0s' $(seq 60))/CN=${long:0:60}"
    PRELOAD=libssl.so.3:libgnutls.so.30:libgcrypt.so.20 \
        hold open "$T/$long/ünïcödé-$long/ß.pem" open "$T/$long/$long.key"
    snapshot --format summary
    must_be 0
    grep -q 'rsa_key_short' "$OUT"
    grep -q "^ *$held " "$OUT"
    # Characters, not bytes.
    LC_ALL=C.UTF-8 refute grep -E '.{81}' "$OUT"
    refute grep -q $'\033' "$OUT"
    snapshot --format summary --no-redact
    LC_ALL=C.UTF-8 refute grep -E '.{81}' "$OUT"
}

@test "summary: colours on a terminal, unless NO_COLOR is set" {
    needs script
    hold open "$D/server.pem"
    script -qec "'$TOOL' snapshot --format summary" /dev/null >"$OUT" </dev/null 3>&-
    grep -q $'\033\\[' "$OUT"
    NO_COLOR=1 script -qec "'$TOOL' snapshot --format summary" /dev/null >"$OUT" </dev/null 3>&-
    grep -q Coverage "$OUT"
    refute grep -q $'\033' "$OUT"
    script -qec "'$TOOL' snapshot --format json" /dev/null >"$OUT" </dev/null 3>&-
    refute grep -q $'\033' "$OUT"
}

@test "wrong options: status 2, nothing done" {
    local words options

    for words in '--format text' '--format json-stream' '--format bogus' '--fail-on bogus' \
        '--deep --no-inspect' '--no-such-option' '--pid 1' 'operand' '--fail-on' '--max-processes 0'; do
        read -ra options <<<"$words"
        echo "$words"
        snapshot --output "$T/new" "${options[@]}"
        must_be 2
        must_be_error
        [ ! -e "$T/new" ]
    done
}

@test "without privileges: one's own processes in full" {
    AS=("${AS_NOBODY[@]}")
    cp "$D/server.pem" "$T/own.pem"
    chown nobody "$T/own.pem"
    PRELOAD=libssl.so.3 hold open "$T/own.pem"
    snapshot --no-redact
    must_be 0
    [ "$(of_held '[.libraries, .open_crypto_files, .running_as]')" = \
        "[[\"libcrypto.so.3\",\"libssl.so.3\"],[\"$T/own.pem\"],\"nobody\"]" ]
    jq -e --arg file "$T/own.pem" 'any(.certificates[]; .file == $file and
        .subject == "CN=server.example")' "$OUT"
    # Of libraries that anybody may read the version, too.
    [ "$(of_held '.crypto_providers[0].version')" = "\"$(openssl version | cut -d ' ' -f 2)\"" ]
}

# Whether as many are counted as /proc shows this user the programs of, `find` aside. Of others some
# come and go.
is_counted()
{
    snapshot
    own=$(("$("${AS[@]}" find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' -lname '/*' 2>/dev/null |
        wc -l)" - 1))
    others=$(find /proc -maxdepth 1 -name '[0-9]*' ! -user nobody \
        -exec grep -ls '^VmSize' {}/status \; 2>/dev/null | wc -l)
    [ "$own" -ge 6 ] && jq -e --argjson own "$own" --argjson others "$others" '.coverage |
        .processes_examined == $own and
        (.processes_not_examined | . > 2 and . > $others - 8 and . < $others + 8)' "$OUT"
}

@test "without privileges: what could and what could not be seen is counted" {
    AS=("${AS_NOBODY[@]}")
    for _ in 1 2 3 4 5 6; do hold open /dev/null; done
    wait_for 20 is_counted
    jq -e '.coverage.method == "proc" and .coverage.reason and
        any(.coverage.not_seen[]; .what == "processes of other users" and .count > 2)' "$OUT"
    snapshot --format summary
    must_be 0
    grep -q 'Not seen: [0-9]* processes of other users' "$OUT"
}

@test "with all privileges nothing is counted as not seen but what root may not read" {
    local hidden

    hidden=$(find /proc -maxdepth 1 -name '[0-9]*' | while read -r dir; do
        "${NO_BPF[@]}" cat "$dir/maps" 2>&1 >/dev/null | grep 'Permission denied' || :
    done | wc -l)
    AS=("${NO_BPF[@]}")
    snapshot
    jq -e --argjson hidden "$hidden" '.coverage.processes_not_examined == $hidden' "$OUT"
}

@test "with hidepid: it says that there is more" {
    AS=("${AS_NOBODY[@]}")
    PRELOAD=libssl.so.3 hold open "$D/server.pem"
    unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh "${AS[@]}" "$TOOL" snapshot \
        >"$OUT" 2>"$ERR" || skip "no hidepid"
    [ "$(of_held .libraries)" = '["libcrypto.so.3","libssl.so.3"]' ]
    jq -e 'any(.coverage.not_seen[]; .what | test("processes"))' "$OUT"
}

# The process that reads /proc may look into all; the one that asks it may not.
@test "with hidepid and all privileges: processes of all users are seen, by iterators and from /proc" {
    local method

    needs setpriv
    AS=(setpriv --reuid 64999 --regid 64999 --clear-groups)
    chmod 755 "$T"
    PRELOAD=libssl.so.3 hold open "$D/server.pem"
    for method in bpf proc; do
        AS=()
        [ "$method" = bpf ] || AS=("${NO_BPF[@]}")
        unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh "${AS[@]}" "$TOOL" snapshot \
            >"$OUT" 2>"$ERR" || skip "no hidepid"
        [ "$(jq -r .coverage.method "$OUT")" = "$method" ]
        [ "$(of_held .libraries)" = '["libcrypto.so.3","libssl.so.3"]' ]
        [ "$(of_held .open_crypto_files)" = "[\"$D/server.pem\"]" ]
    done
}

@test "a sparse file of 4 GB: little of it is read, in little memory" {
    not_sanitized "most of the memory is theirs"
    needs /usr/bin/time strace
    truncate -s 4G "$T/x.pem"
    { cat "$D/server.pem"; } | dd of="$T/y.pem" bs=1M seek=4000 2>/dev/null
    hold open "$T/x.pem" open "$T/y.pem"
    # Of the one of the two processes that takes more.
    timeout 60 /usr/bin/time -f %M -o "$T/memory" "$TOOL" snapshot --no-redact >"$OUT" 2>"$ERR"
    [ "$(cat "$T/memory")" -lt 40000 ]
    [ "$(of_held .open_crypto_files)" = "[\"$T/x.pem\",\"$T/y.pem\"]" ]
    jq -e --arg dir "$T/" 'all(.certificates[]; .file | startswith($dir) | not)' "$OUT"
    # What it read of each of the two, in bytes.
    timeout 60 strace -f -qq -y -e trace=read,pread64,readv,preadv,preadv2 -o "$T/reads" \
        "$TOOL" snapshot --no-redact >"$OUT" 2>"$ERR"
    for name in x y; do
        awk -v file="<$T/$name.pem" 'index($0, file) && $NF > 0 { n += $NF; nr++ }
            END { print n + 0; exit !(nr && n <= 4194304) }' "$T/reads"
    done
}

@test "FIFOs, devices and directories are not read" {
    mkfifo "$T/fifo.pem"
    mkdir "$T/dir.pem"
    mknod "$T/zero.pem" c 1 5
    hold open "$T/fifo.pem" write "$T/fifo.pem" open "$T/dir.pem" open "$T/zero.pem" \
        open "$D/server.pem"
    timeout 60 "$TOOL" snapshot --no-redact >"$OUT" 2>"$ERR"
    of_held '.open_crypto_files[]' >"$T/files"
    refute grep -q 'fifo.pem\|dir.pem' "$T/files"
    grep -q server.pem "$T/files"
    jq -e 'any(.certificates[]; .subject == "CN=server.example")' "$OUT"
}

@test "a file that is written while it is read" {
    local i writer

    cp "$D/server.pem" "$T/busy.pem"
    hold open "$T/busy.pem"
    while :; do
        cat "$D/other.pem" >"$T/busy.pem"
        cat "$D/many.pem" >"$T/busy.pem"
    done 3>&- &
    writer=$!
    HELD+=("$writer")
    for i in $(seq 10); do
        snapshot --no-redact
        must_be 0
        jq -e --arg file "$T/busy.pem" 'all(.certificates[] | select(.file == $file);
            .subject == "CN=server.example" or .subject == "CN=other.example")' "$OUT"
    done
}

@test "processes that end meanwhile: 20 snapshots, all complete" {
    local i maker

    for i in $(seq 200); do LD_PRELOAD=libssl.so.3 cat "$D/server.pem" >/dev/null; done 3>&- &
    maker=$!
    HELD+=("$maker")
    hold open "$D/server.pem"
    for i in $(seq 20); do
        snapshot --no-redact
        must_be 0
        [ ! -s "$ERR" ]
        [ "$(of_held .open_crypto_files)" = "[\"$D/server.pem\"]" ]
    done
}

@test "odd names: line feed, bytes that are no UTF-8, quotes, 4000 bytes" {
    local deep=$T part i

    part=$(printf '%0199d' 0)
    for i in $(seq 19); do
        [ $((${#deep} + 250)) -lt 4000 ] || break
        deep=$deep/$part
    done
    mkdir -p "$deep"
    [ ${#deep} -gt 3700 ]
    cp "$D/server.pem" "$deep/$(printf '%0150d' 0).pem"
    cp "$D/server.pem" "$T/"$'line\nfeed.pem'
    cp "$D/server.pem" "$T/"$'\xff\xfe.pem'
    cp "$D/server.pem" "$T/\"quote\\.pem"
    hold open "$deep/$(printf '%0150d' 0).pem" open "$T/"$'line\nfeed.pem' open "$T/"$'\xff\xfe.pem' \
        open "$T/\"quote\\.pem"
    for AS in "env" "${NO_BPF[*]}"; do
        read -ra AS <<<"$AS"
        snapshot --no-redact
        must_be 0
        jq -e --argjson pid "$held" --arg dir "$T" --arg deep "$deep/$(printf '%0150d' 0).pem" '
            .processes[] | select(.pid == $pid).open_crypto_files | length == 4 and
            contains([$deep]) and contains([$dir + "/line\nfeed.pem"]) and
            contains([$dir + "/\"quote\\.pem"]) and any(.[]; endswith("\ufffd.pem"))' "$OUT"
        [ "$(jq --argjson pid "$held" '[.certificates[] |
            select(any(.processes[]; .pid == $pid))] | length' "$OUT")" -eq 4 ]
    done
}

@test "a name that ends as the kernel marks deleted files" {
    cp "$D/server.pem" "$T/a.pem (deleted)"
    cp "$D/server.pem" "$T/b.pem"
    cp "$D/server.pem" "$T/c.pem"
    hold open "$T/a.pem (deleted)" open "$T/b.pem" unlink "$T/b.pem" open "$T/c.pem"
    for AS in "env" "${NO_BPF[*]}"; do
        read -ra AS <<<"$AS"
        snapshot --no-redact
        [ "$(of_held .deleted_files)" = "[\"$T/b.pem\"]" ]
        # There never was an "a.pem".
        refute grep -qF "\"$T/a.pem\"" "$OUT"
    done
}

@test "120 processes that use cryptography: each with its library and its file" {
    local i

    # Beside each other; hold() would wait for one after the other.
    for i in $(seq 120); do
        LD_PRELOAD=libcrypto.so.3 "$PROGRAMS/hold" open "$D/server.pem" </dev/null >"$T/ready.$i" \
            2>>"$T/hold.err" 3>&- &
        HELD+=("$!")
    done
    for i in $(seq 120); do wait_for 20 test -s "$T/ready.$i"; done
    snapshot
    must_be 0
    printf '%s\n' "${HELD[@]}" | sort >"$T/held"
    jq -r --arg file "$D/server.pem" '.processes[] | select(.name == "hold" and
        .libraries == ["libcrypto.so.3"] and .open_crypto_files == [$file]) | .pid' "$OUT" | sort >"$T/told"
    # Others may hold the same: of these each has to be there, once.
    diff "$T/held" <(comm -12 "$T/held" "$T/told")
    [ "$(jq .summary.total_processes "$OUT")" -ge 120 ]
}

@test "access times stay as they are" {
    cp "$D/server.pem" "$T/a.pem"
    cp "$D/server.key" "$T/a.key"
    cp "$D/server.pem" "$T/probe"
    cp /usr/lib/x86_64-linux-gnu/libcrypto.so.3 "$T/libcrypto.so.3" 2>/dev/null || skip "no libcrypto"
    PRELOAD=$T/libcrypto.so.3 hold open "$T/a.pem" open "$T/a.key"
    touch -a -d 2001-01-01 "$T"/{a.pem,a.key,libcrypto.so.3,probe}
    cat "$T/probe" >/dev/null
    [ "$(stat -c %X "$T/probe")" -gt 1000000000 ] || skip "no access times here"
    snapshot --no-redact
    jq -e --arg file "$T/a.key" 'any(.keys[]; .file == $file)' "$OUT"
    [ "$(stat -c %X "$T/a.pem" "$T/a.key" "$T/libcrypto.so.3" | sort -u)" = \
        "$(date -d 2001-01-01 +%s)" ]
}

@test "no symbolic link leads out of a root" {
    local name

    mkdir -p "$T/root/lib" "$T/root$T"
    library=$(ldconfig -p | awk '$1 == "libcrypto.so.3" { print $NF; exit }')
    cp "$library" "$T/root/lib/libcrypto.so.3"
    cp "$library" "$T/libcrypto.so.3"
    cp "$D/server.pem" "$T/root/inside.pem"
    ln -s "$T/libcrypto.so.3" "$T/link"
    "$PROGRAMS/hold" root "$T/root" map /lib/libcrypto.so.3 unlink /lib/libcrypto.so.3 open /inside.pem \
        unlink /inside.pem </dev/null >"$T/ready" 3>&- &
    held=$!
    HELD+=("$held")
    wait_for 10 test -s "$T/ready"
    ln -s "../../../../../../../../..$T/libcrypto.so.3" "$T/root/lib/libcrypto.so.3"
    ln -s "$D/other.pem" "$T/root/inside.pem"
    for AS in "env" "${NO_BPF[*]}"; do
        read -ra AS <<<"$AS"
        snapshot --no-redact
        must_be 0
        [ "$(of_held '.stale_libraries[0].disk_version')" = null ]
        [ "$(of_held '.stale_libraries | length')" -eq 1 ]
        jq -e --argjson pid "$held" '[.certificates[] | select(any(.processes[]; .pid == $pid)) |
            .subject] == ["CN=server.example"]' "$OUT"
    done
}

# inside SCRIPT: runs it with bash in a pid namespace of its own. There `hold` works as above, and
# `snapshot OUT [OPTION...]` keeps document, messages and status in OUT, OUT.err and OUT.status.
inside()
{
    {
        echo "cd '$T'; PROGRAMS='$PROGRAMS' TOOL='$TOOL' D='$D' NO_BPF='${NO_BPF[*]}'"
        cat <<'EOF'
hold()
{
    : >ready
    LD_PRELOAD=$PRELOAD "${HOLD:-$PROGRAMS/hold}" "$@" </dev/null >ready 3>&- &
    until [ -s ready ]; do sleep 0.01; done
}
snapshot()
{
    local out=$1

    shift
    $NO_BPF "$TOOL" snapshot --no-redact "$@" >"$out" 2>"$out.err"
    echo "$?" >"$out.status"
}
EOF
        echo "$1"
    } >"$T/init"
    timeout 60 unshare -pf --kill-child --mount-proc bash "$T/init" </dev/null >"$T/inside.log" 2>&1 3>&-
}

@test "--diff: nothing when nothing has changed, whatever the pids" {
    # shellcheck disable=SC2016 # for the inner shell
    inside 'PRELOAD=libssl.so.3 hold open "$D/server.pem"
        snapshot old --output old.json
        PRELOAD=libssl.so.3 hold open "$D/server.pem"
        snapshot diff --diff old.json
        snapshot text --diff old.json --format summary'
    [ "$(cat "$T/diff.status" "$T/text.status")" = $'0\n0' ]
    jq -e '.summary == {new: 0, gone: 0, changed: 0} and .notes == []' "$T/diff"
    grep -q '^no changes$' "$T/text"
}

@test "--diff: what is new, gone and changed, status 11" {
    # shellcheck disable=SC2016 # for the inner shell
    inside 'cp "$PROGRAMS/hold" goes; cp "$PROGRAMS/hold" comes; cp "$D/server.pem" a.pem
        hold open "$PWD/a.pem"
        PRELOAD=libgcrypt.so.20 HOLD=./goes hold
        kill=$!
        snapshot old --output old.json
        kill -KILL $kill; wait $kill
        PRELOAD=libssl.so.3 HOLD=./comes hold
        cat "$D/other.pem" >a.pem
        snapshot diff --diff old.json
        snapshot text --diff old.json --format summary'
    [ "$(cat "$T/diff.status" "$T/text.status")" = $'11\n11' ]
    jq -e --arg dir "$T" '
        (.programs.new | tojson | contains($dir + "/comes")) and (.programs.new | length) == 1 and
        (.programs.gone | tojson | contains($dir + "/goes")) and (.programs.gone | length) == 1 and
        ([.libraries.new[] | tojson | test("libssl|libcrypto")] == [true, true]) and
        (.libraries.gone | tojson | test("libgcrypt")) and
        (.certificates | tojson | contains("server.example") and contains("other.example")) and
        .summary.new > 0 and .summary.gone > 0' "$T/diff"
    # The certificate at the place of the other one: a change, not one more and one less.
    jq -e '.certificates | .new == [] and .gone == [] and (.changed | length) == 1' "$T/diff"
    grep -q '^ *+ .*/comes' "$T/text"
    grep -q '^ *- .*/goes' "$T/text"
    LC_ALL=C.UTF-8 refute grep -E '.{81}' "$T/text"
}

@test "--diff --fail-on: 10 for a new finding, not for one that was there" {
    # shellcheck disable=SC2016 # for the inner shell
    inside 'cp "$D/server.key" open.key; chmod 644 open.key
        hold open "$D/server.pem"
        snapshot old --output old.json
        hold open "$PWD/open.key"
        snapshot new --diff old.json --fail-on high
        snapshot high --diff old.json --fail-on critical
        snapshot then --output then.json
        snapshot same --diff then.json --fail-on high'
    [ "$(cat "$T"/{new,high,same}.status)" = $'10\n11\n0' ]
    jq -e '[.findings.new[].rule] == ["private_key_readable"]' "$T/new"
}

@test "--diff: what one of the two did not look into is not gone, and passes no gate" {
    # shellcheck disable=SC2016 # for the inner shell
    inside 'cp "$D/server.key" open.key; chmod 644 open.key
        hold open "$PWD/open.key"
        snapshot old --output old.json
        snapshot blind --diff old.json --no-inspect
        echo "{\"snapshot_version\":\"1.0\",\"processes\":[]}" >less.json
        snapshot less --diff less.json --fail-on high'
    jq -e '.summary == {new: 0, gone: 0, changed: 0} and (.notes | length) > 0' "$T/blind"
    [ "$(cat "$T"/{blind,less}.status)" = $'0\n10' ]
}

@test "--diff: what is no snapshot is refused, the output untouched" {
    echo '{' >"$T/broken"
    echo '{}' >"$T/empty"
    echo '[1]' >"$T/array"
    head -c 3000 /dev/urandom >"$T/noise"
    truncate -s 300M "$T/huge"
    printf '%0100000d' 0 | tr 0 '[' >"$T/deep"
    : >"$T/nothing"
    mkfifo "$T/fifo"
    mkdir "$T/folder"
    for name in missing folder fifo huge deep nothing broken empty array noise; do
        echo precious >"$T/kept"
        snapshot --diff "$T/$name" --output "$T/kept"
        echo "$name: $(cat "$T/kept")"
        must_be 1
        grep -q "^Error: cannot compare with '$T/$name'" "$ERR"
        [ "$(cat "$T/kept")" = precious ]
    done
}

@test "--diff: the messages are errors as all others" {
    snapshot --diff "$T/missing"
    must_be 1
    must_be_error
}

@test "--diff: nothing but the comparison is said" {
    "$TOOL" snapshot --output "$T/old.json"
    snapshot --diff "$T/old.json"
    [ "$status" -eq 0 ] || must_be 11
    [ ! -s "$ERR" ]
}

@test "a full disk: status 1, the document whole on standard output" {
    hold open "$D/many.pem"
    snapshot --output /dev/full
    must_be 1
    grep -q 'No space left on device' "$ERR"
    must_be_error
    jq -e --argjson pid "$held" 'any(.processes[]; .pid == $pid) and .coverage' "$OUT"
}

@test "a pipe that is closed: 141, silently" {
    local statuses

    hold open "$D/many.pem"
    set +o pipefail
    "$TOOL" snapshot 2>"$ERR" </dev/null 3>&- | head -c 10 >"$OUT"
    statuses=("${PIPESTATUS[@]}")
    [ "${statuses[*]}" = "141 0" ]
    [ ! -s "$ERR" ]
}

@test "SIGINT, SIGTERM and SIGHUP end it, also while nobody reads" {
    local pipe signal all=''

    hold open "$D/many.pem"
    for signal in INT TERM HUP; do
        mkfifo "$T/pipe.$signal"
        # shellcheck disable=SC2094 # a FIFO
        exec {pipe}<>"$T/pipe.$signal"
        # A child of a shell without job control would ignore SIGINT.
        env --default-signal=INT "$TOOL" snapshot >"$T/pipe.$signal" 2>"$ERR" </dev/null 3>&- &
        TRACER=$!
        wait_for 10 grep -q pipe_write "/proc/$TRACER/wchan"
        kill -s "$signal" "$TRACER"
        wait_for 5 has_ended "$TRACER"
        status=0
        wait "$TRACER" || status=$?
        all="$all $status"
        exec {pipe}<&-
    done
    [ "$all" = ' 130 143 129' ]
}

@test "a signal while the output waits for a reader" {
    mkfifo "$T/fifo"
    env --default-signal=INT "$TOOL" snapshot --output "$T/fifo" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 10 grep -qE 'nanosleep|poll|wait_for_partner|fifo_open|hrtimer' "/proc/$TRACER/wchan"
    kill -INT "$TRACER"
    wait_for 5 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    must_be 130
}
