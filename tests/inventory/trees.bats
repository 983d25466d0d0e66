#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `profile` of a tree: which processes belong to it, and that nothing of them is missed or counted
# twice. What trees.bats starts says itself which processes there were.

# shellcheck disable=SC2016 # sh -c expands for itself
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load ../cmd/helpers
load ../support/profile

HERE=$ROOT/tests/cmd

setup_file()
{
    check_environment
    file_needs openssl || return 0
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$BATS_FILE_TMPDIR/rsa.key" -days 400 \
        -out "$BATS_FILE_TMPDIR/rsa.pem" -subj /CN=rsa.example 2>/dev/null
}

# members JQ: of the processes of the tree, in the order of their pids.
members()
{
    doc ".processes | sort_by(.pid)[] | $1"
}

# has_all DIR FIRST LAST: of the files that lie in DIR, exactly these, each opened once.
has_all()
{
    diff <(seq "$2" "$3" | sort) <(jq -r --arg dir "$1/" '.files_accessed[] |
        select(.path | startswith($dir)) | select(.access_count == 1) |
        .path[($dir | length):-4]' "$DOC" | sort)
}

# has_exactly PIDS: PID, PPID a line, are the members beside the target $1, ended all.
has_exactly()
{
    diff <(awk '{ print $2, $3 }' "$2" | sort) <(jq -r --argjson target "$1" '.processes[] |
        select(.pid != $target) | "\(.pid) \(.ppid)"' "$DOC" | sort)
    doc_is '.processes | map(.pid) | length == (unique | length)' true
}

@test "a shell that starts commands in a loop: events of both" {
    local shell turns

    sh -c 'while :; do cat "$0" >/dev/null; echo >>"$1"; sleep 0.05; done' "$D/rsa.pem" "$T/turns" \
        </dev/null >/dev/null 2>&1 3>&- &
    shell=$!
    HELD+=("$shell")
    wait_for 10 test -s "$T/turns"
    profile_start --no-redact --pid "$shell" --follow-children
    turns=$(wc -l <"$T/turns")
    wait_for 10 sh -c '[ "$(wc -l <"$0")" -gt "$1" ]' "$T/turns" $((turns + 6))
    profile_stop
    doc_is '.files_accessed | map([.path, .mode, .access_count > 4])' "[[\"$D/rsa.pem\",\"read\",true]]"
    # Each cat is one that opened it, once.
    doc_is '(.programs | map(select(.exe | endswith("/cat"))) | length) - .files_accessed[0].access_count | fabs <= 1' \
        true
    doc_is ".processes | map(.name) | unique | . - [\"sh\"]" '["cat","sleep"]'
    doc_is ".processes | map(select(.pid == $shell)) | map([.name, .ended])" '[["sh",false]]'
    doc_is ".processes | map(select(.pid != $shell) | .ppid) | unique" "[$shell]"
    doc_is '.process | [.pid, .name]' "[$shell,\"sh\"]"
    doc_is '.certificates | map(.subject)' '["CN=rsa.example"]'
}

@test "five forks: events of the parent and of all five children" {
    puppet_start p
    profile_start --no-redact --pid "${PUPPET[p]}" --follow-children
    puppet_exec p "$PROGRAMS/puppet"
    puppet p run "$PROGRAMS/tree" five "$T"
    [ "$answer" = 0 ]
    profile_stop
    [ "$(wc -l <"$T/pids")" -eq 5 ]
    has_all "$T" 1 5
    # One path, however many open it.
    file_is "$T/0.pem" .access_count 6
    doc_is '.statistics | [.files_accessed, .file_accesses, .processes]' '[6,11,7]'
    has_exactly "${PUPPET[p]}" <(cat "$T/pids"; awk -v puppet="${PUPPET[p]}" \
        'NR == 1 { print 0, $3, puppet }' "$T/pids")
    # Two opens and an exit each; the parent an exec, an open and an exit.
    while read -r _ pid _; do
        doc_is ".processes[] | select(.pid == $pid) | [.events, .ended]" '[3,true]'
    done <"$T/pids"
    doc_is ".processes[] | select(.name == \"tree\" and .ppid == ${PUPPET[p]}) | .events" 3
}

@test "parent, child and grandchild: events of all three" {
    puppet_start p
    profile_start --no-redact --pid "${PUPPET[p]}" --follow-children
    puppet_fork p c
    puppet_fork c g
    puppet p open /p.pem
    puppet c open /c.pem
    puppet g open /g.pem
    puppet g open /p.pem
    profile_stop
    doc_is '.files_accessed | map([.path, .failures])' '[["/c.pem",1],["/g.pem",1],["/p.pem",2]]'
    doc_is '.processes | map([.pid, .ppid, .events, .ended])' "[[${PUPPET[p]},$BASHPID,1,false],[${PUPPET[c]},${PUPPET[p]},1,false],[${PUPPET[g]},${PUPPET[c]},2,false]]"
    doc_is '.statistics | [.total_events, .processes, .failed_accesses]' '[4,3,4]'
}

@test "without --follow-children what children open is not told" {
    puppet_start p
    puppet_fork p before
    profile_start --no-redact --pid "${PUPPET[p]}"
    puppet_fork p during
    puppet before open /before.pem
    puppet during open /during.pem
    puppet p open /p.pem
    profile_stop
    doc_is '.files_accessed | map(.path)' '["/p.pem"]'
    doc_is '[has("processes"), .statistics.processes, .statistics.total_events]' '[false,1,1]'
}

@test "children that were there before: with what they have and what they do" {
    local at

    puppet_start p
    puppet_fork p c
    puppet_fork c g
    puppet g map "$(ldconfig -p | awk '$1 == "libcrypto.so.3" { print $NF; exit }')"
    puppet_start other
    profile_start --no-redact --pid "${PUPPET[p]}" --follow-children
    puppet g open /g.pem
    puppet other open /other.pem
    puppet c open /c.pem
    profile_stop
    doc_is '.files_accessed | map(.path)' '["/c.pem","/g.pem"]'
    doc_is '.libraries | map([.name, .origin])' '[["libcrypto.so.3","snapshot"]]'
    doc_is '.processes | map([.pid, .ppid, .events])' "[[${PUPPET[p]},$BASHPID,0],[${PUPPET[c]},${PUPPET[p]},1],[${PUPPET[g]},${PUPPET[c]},1]]"
    # Each with the time at which it was made.
    for at in p c g; do
        awk -v a="$(date -d "$(jq -r ".processes[] | select(.pid == ${PUPPET[$at]}).start_time" \
            "$DOC")" +%s.%N)" -v b="$(start_of "${PUPPET[$at]}")" \
            'BEGIN { exit !(a - b < 0.1 && b - a < 0.1) }'
    done
}

@test "orphans stay in, those from before and those from the run" {
    puppet_start p
    puppet_fork p c
    puppet_fork c old
    profile_start --no-redact --pid "${PUPPET[p]}" --follow-children
    puppet_exit c
    puppet_fork p c2
    puppet_fork c2 new
    puppet_exit c2
    puppet old open /old.pem
    puppet new open /new.pem
    # And what they start.
    puppet_fork new late
    puppet late open /late.pem
    puppet old run cat "$D/rsa.pem"
    [ "$answer" = 0 ]
    profile_stop
    doc_is '.files_accessed | map(.path)' "[\"/late.pem\",\"/new.pem\",\"/old.pem\",\"$D/rsa.pem\"]"
    doc_is '.processes | length' 7
    doc_is ".processes[] | select(.pid == ${PUPPET[new]}) | [.ppid, .events]" "[${PUPPET[c2]},1]"
    doc_is ".processes | map(select(.ended) | .pid) | contains([${PUPPET[c]}, ${PUPPET[c2]}])" true
}

@test "when the target ends its descendants go on, and so does the run" {
    puppet_start p
    puppet_fork p c
    profile_start --no-redact --pid "${PUPPET[p]}" --follow-children --duration 60
    puppet_exit p 4
    puppet c open /after.pem
    puppet_fork c g
    puppet g open /later.pem
    puppet_exit c
    refute has_ended "$TRACER"
    puppet_exit g
    profile_wait
    must_be 0
    doc_is '[.process.exit_code, (.files_accessed | map(.path))]' '[4,["/after.pem","/later.pem"]]'
    doc_is '.processes | map(.ended)' '[true,true,true]'
}

@test "30 generations" {
    puppet_start p
    profile_start --no-redact --pid "${PUPPET[p]}" --follow-children
    puppet p run "$PROGRAMS/tree" chain "$T" 30
    [ "$answer" = 0 ]
    profile_stop
    [ "$(wc -l <"$T/pids")" -eq 30 ]
    has_all "$T" 1 30
    # The puppet, the first process of the chain and 30 generations below it.
    doc_is .statistics.processes 32
    awk 'NR > 1 && $3 != last { exit 1 } { last = $2 }' "$T/pids"
    has_exactly "${PUPPET[p]}" <(cat "$T/pids"; awk -v puppet="${PUPPET[p]}" \
        'NR == 1 { print 0, $3, puppet }' "$T/pids")
}

@test "a process number that is used again does not enter the tree" {
    local pid again=0

    cp "$D/rsa.pem" "$T/x.pem"
    puppet_start p
    puppet_fork p c
    pid=${PUPPET[c]}
    puppet_start other
    profile_start --no-redact --pid "${PUPPET[p]},${PUPPET[other]}" --follow-children
    puppet c open /c.pem
    puppet_exec p "$PROGRAMS/puppet"
    # Its parent has to have waited for it, or nobody else can have its number.
    puppet_exit other
    wait "${PUPPET[other]}" || :
    "$PROGRAMS/same_pid" "${PUPPET[other]}" "$T/x.pem" || again=$?
    [ "$again" -ne 77 ] || skip "this kernel lets no one choose a process number"
    [ "$again" -eq 0 ]
    puppet p open /p.pem
    profile_stop
    doc_is '.profiles | map([.process.pid, (.files_accessed | map(.path)), (.processes | length)])' \
        "[[${PUPPET[p]},[\"/c.pem\",\"/p.pem\"],2],[${PUPPET[other]},[],1]]"
}

@test "COMMAND: its descendants belong to it without being asked for" {
    profile --no-redact -- sh -c '"$0" five "$1"; "$0" chain "$2" 3' "$PROGRAMS/tree" "$T" "$D"
    must_be 0
    has_all "$T" 1 5
    has_all "$D" 1 3
    # The shell and two trees below it, or what it became.
    doc_has '.statistics.processes >= 10 and (.processes | all(.ended))'
    doc_is '.process.name == .processes[0].name' true
    diff <(awk '{ print $2 }' "$T/pids" "$D/pids" | sort) <(jq -r --slurpfile pids \
        <(awk '{ print $2 }' "$T/pids" "$D/pids") '.processes[].pid |
        select(. as $pid | any($pids[]; . == $pid))' "$DOC" | sort)
}

@test "--name with --follow-children: one profile for the process and what it starts" {
    cp "$PROGRAMS/puppet" "$T/treename"
    PROGRAMS=$T
    ln -s treename "$T/puppet"
    puppet_start p
    puppet_exec p "$T/treename"
    PROGRAMS=$BUILD/tests/programs
    profile_start --no-redact --name treename --follow-children
    puppet p run "$PROGRAMS/tree" five "$T"
    profile_stop
    doc_is '.process | [.pid, .name]' "[${PUPPET[p]},\"treename\"]"
    has_all "$T" 1 5
}

@test "--name: a child of that name is in the same profile whether it was there before or not" {
    local when

    cp "$PROGRAMS/puppet" "$T/family"
    for when in before during; do
        puppet_start "$when"
        puppet_exec "$when" "$T/family"
        [ "$when" = during ] || puppet_fork "$when" "child$when"
        profile_start --no-redact --name family --follow-children
        [ "$when" = before ] || puppet_fork "$when" "child$when"
        puppet "child$when" open /child.pem
        profile_stop
        doc '[.profiles // [.] | .[].processes | length]' >>"$T/shape"
        puppet_exit "child$when"
        puppet_exit "$when"
    done
    cat "$T/shape"
    [ "$(sed -n 1p "$T/shape")" = "$(sed -n 2p "$T/shape")" ]
}

@test "--name: what its children became meanwhile does not keep the run going" {
    cp "$(command -v dash)" "$T/loopname" 2>/dev/null || cp "$(realpath "$(command -v sh)")" "$T/loopname"
    "$T/loopname" -c 'until [ -e "$0/go" ]; do :; done; for i in 1 2 3; do cat "$1"; done; exit 6' \
        "$T" "$D/rsa.pem" </dev/null >/dev/null 2>&1 3>&- &
    HELD+=("$!")
    profile_start --no-redact --name loopname --duration 1000
    : >"$T/go"
    profile_wait
    must_be 0
    doc_is '[.profiles // [.] | .[] | select(.process.pid == '"${HELD[0]}"').process.exit_code]' '[6]'
    # The children were of that name until they became cat: nothing is told of what cat did.
    doc_is '[.profiles // [.] | .[].files_accessed[].path]' '[]'
}

@test "a storm of 3,000 children: each of their files, and nothing lost" {
    mkdir "$T/files"
    profile --no-redact -q --output "$T/doc" --buffer-size 8M -- "$PROGRAMS/tree" many "$T/files" 3000
    must_be 0
    [ "$(wc -l <"$T/files/pids")" -eq 3000 ]
    has_all "$T/files" 1 3000
    doc_is '.statistics | [.files_accessed, .file_accesses, .processes]' '[3000,3000,3001]'
    # An exec, 3,000 opens, an exit of each.
    doc_is .statistics.total_events 6002
    diff <(awk '{ print $2, $3 }' "$T/files/pids" | sort) \
        <(doc_lines '.processes[1:][] | "\(.pid) \(.ppid)"')
    # Libraries are seen of the whole host, so that what others do may be lost.
    doc_is '[.coverage.sources[] | select(.name != "lib_load").lost[]] | add' 0
    doc_is '.coverage.sources[] | select(.name == "process_fork" or .name == "file_open") | [.seen - .rejected >= 3000, .attached]' \
        $'[true,true]\n[true,true]'
    doc_has '.processes | all(.ended)'
}

@test "10,000 processes in one tree: all of them, and what each of them opens" {
    mkdir "$T/files"
    "$PROGRAMS/tree" alive "$T/files" 10000 </dev/null >/dev/null 2>&1 3>&- &
    HELD+=("$!")
    wait_for 90 sh -c '[ "$(wc -l <"$0")" -eq 10000 ]' "$T/files/pids"
    profile_start --no-redact --pid "${HELD[-1]}" --follow-children --duration 1000 --api none \
        --buffer-size 64M
    : >"$T/files/go"
    wait_for 200 has_ended "$TRACER"
    profile_wait
    must_be 0
    doc_is '.statistics | [.processes, .files_accessed, .file_accesses]' '[10001,10000,10000]'
    diff <(awk '{ print $2, $3 }' "$T/files/pids" | sort) \
        <(doc_lines '.processes[1:][] | "\(.pid) \(.ppid)"')
    doc_is '[.coverage.sources[] | select(.name != "lib_load").lost[]] | add' 0
    doc_has '.processes | all(.ended)'
}
