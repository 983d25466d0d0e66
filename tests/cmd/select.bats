#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Which processes `monitor` watches: --pid, --name, --uid, --follow-children, alone and together.
# What is kept of their events is in filters.bats, COMMAND in child.bats.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers

# opened_by: "process file" of each file_open, in order.
opened_by()
{
    events '.event_type == "file_open"' | jq -r '"\(.process) \(.file)"'
}

# must_open LINE...: exactly these opens were reported, in this order.
must_open()
{
    diff <(printf '%s\n' "$@") <(opened_by)
}

# must_open_none: none was.
must_open_none()
{
    must_count 0 '.event_type == "file_open"'
}

@test "--pid: that process and no other" {
    puppet_start in
    puppet_start out
    tracer_start monitor --pid "${PUPPET[in]}"
    puppet out open /out.pem
    puppet in open /in.pem
    puppet out open /out.pem
    tracer_stop
    must_be 143
    must_open 'puppet /in.pem'
    [ "$(events '.event_type == "file_open"' | jq .pid)" -eq "${PUPPET[in]}" ]
}

@test "--pid takes a list, and one may be given twice" {
    puppet_start a
    puppet_start b
    puppet_start c
    tracer_start monitor --pid "${PUPPET[a]},${PUPPET[c]},${PUPPET[a]}"
    puppet a open /a.pem
    puppet b open /b.pem
    puppet c open /c.pem
    tracer_stop
    must_open 'puppet /a.pem' 'puppet /c.pem'
}

@test "--pid may be repeated" {
    puppet_start a
    puppet_start b
    puppet_start c
    tracer_start monitor --pid "${PUPPET[a]}" --pid "${PUPPET[b]}"
    puppet c open /c.pem
    puppet a open /a.pem
    puppet b open /b.pem
    tracer_stop
    must_open 'puppet /a.pem' 'puppet /b.pem'
}

@test "--pid covers threads, under the process's id and their own name" {
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    puppet p thread worker /thread.pem
    tracer_stop
    must_count 1 "$(opens /thread.pem) and .pid == ${PUPPET[p]} and .process == \"puppet\"
                  and .thread == \"worker\""
}

@test "--pid stays with a process that executes another program" {
    puppet_start p
    ln -s "$PROGRAMS/puppet" "$T/renamed"
    tracer_start monitor --pid "${PUPPET[p]}"
    puppet_exec p "$T/renamed"
    puppet p open /after.pem
    puppet_exit p 3
    tracer_stop
    must_open 'renamed /after.pem'
    must_count 1 ".event_type == \"process_exec\" and .pid == ${PUPPET[p]}"
    must_count 1 ".event_type == \"process_exit\" and .pid == ${PUPPET[p]} and .exit_code == 3"
}

@test "--pid without --follow-children: no child, neither old nor new" {
    puppet_start p
    puppet_fork p old
    tracer_start monitor --pid "${PUPPET[p]}"
    puppet_fork p new
    puppet old open /old.pem
    puppet new open /new.pem
    puppet p run true
    puppet p open /p.pem
    tracer_stop
    must_open 'puppet /p.pem'
    must_count 0 '.event_type == "process_exec"'
}

@test "--follow-children: descendants from before and after, of any depth" {
    puppet_start p
    puppet_fork p old
    puppet_fork old grandchild
    puppet_start other
    tracer_start monitor --pid "${PUPPET[p]}" --follow-children
    puppet_fork grandchild new
    puppet_fork other unrelated
    puppet old open /old.pem
    puppet grandchild open /grandchild.pem
    puppet new open /new.pem
    puppet other open /other.pem
    puppet unrelated open /unrelated.pem
    puppet new run cat /run.pem
    tracer_stop
    must_open 'puppet /old.pem' 'puppet /grandchild.pem' 'puppet /new.pem' 'cat /run.pem'
    must_count 1 '.event_type == "process_exec" and .process == "cat"'
}

@test "--follow-children goes on when the process itself has ended" {
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}" --follow-children
    puppet_fork p orphan
    puppet_exit p
    puppet orphan open /orphan.pem
    puppet_fork orphan second
    puppet second open /second.pem
    tracer_stop
    must_open 'puppet /orphan.pem' 'puppet /second.pem'
}

@test "--name: any part of the name, upper or lower case" {
    local name

    for name in exact Exact-Puppet 'ACT-PU' et; do
        puppet_start "$name"
        puppet "$name" name Exact-Puppet
        puppet_start "other $name"
        puppet "other $name" name Exac-t-Puppe
        tracer_start monitor --name "$name" --event file_open
        puppet "$name" open "/in.pem"
        puppet "other $name" open "/out.pem"
        tracer_stop
        must_open 'Exact-Puppet /in.pem'
        puppet_exit "$name"
        puppet_exit "other $name"
    done
}

@test "--name is text, not a pattern" {
    puppet_start p
    puppet p name 'star*'
    puppet_start q
    puppet q name 'starx'
    tracer_start monitor --name 'r*'
    puppet p open /p.pem
    puppet q open /q.pem
    tracer_stop
    must_open 'star* /p.pem'
}

@test "--name: from the first instruction of programs that start later" {
    ln -s "$(command -v cat)" "$T/later-cat"
    tracer_start monitor --name LATER-
    cat /other.pem 2>/dev/null || :
    "$T/later-cat" /first.pem 2>/dev/null || :
    tracer_stop
    must_open 'later-cat /first.pem'
    must_count 1 '.event_type == "process_exec"'
    must_count 1 '.event_type == "process_exit"'
}

@test "--name longer than a name can be: its first 15 bytes, and a warning" {
    ln -s "$PROGRAMS/puppet" "$T/fifteen-bytes-0-and-more"
    puppet_start p
    tracer_start monitor --name fifteen-bytes-0-and-more
    puppet_exec p "$T/fifteen-bytes-0-and-more"
    puppet p open /p.pem
    tracer_stop
    must_open 'fifteen-bytes-0 /p.pem'
    grep -q "WARN: .*15 bytes.*'fifteen-bytes-0'" "$ERR"
}

@test "--name with --follow-children: and what such a process starts" {
    puppet_start p
    puppet p name chosen
    puppet_fork p child
    puppet child name child
    puppet_start other
    tracer_start monitor --name chosen --follow-children
    puppet child open /child.pem
    puppet p run cat /cat.pem
    puppet other open /other.pem
    tracer_stop
    must_open 'child /child.pem' 'cat /cat.pem'
}

@test "--uid: by number and by name, several" {
    puppet_start a setpriv --reuid 65533 --clear-groups
    puppet_start b setpriv --reuid nobody --clear-groups
    puppet_start c
    tracer_start monitor --uid 65533,nobody --name puppet
    puppet a open /a.pem
    puppet b open /b.pem
    puppet c open /c.pem
    tracer_stop
    must_open 'puppet /a.pem' 'puppet /b.pem'
    must_count 1 "$(opens /a.pem) and .uid == 65533"
    must_count 1 "$(opens /b.pem) and .uid == $(id -u nobody)"
}

@test "--uid: from the moment on that a process is that user" {
    puppet_start p
    tracer_start monitor --uid 65533
    puppet p open /before.pem
    puppet p setuid 65533
    puppet p open /after.pem
    tracer_stop
    must_open 'puppet /after.pem'
}

@test "--uid 0 is a user as any other" {
    puppet_start p
    puppet_start q setpriv --reuid 65533 --clear-groups
    tracer_start monitor --uid 0 --pid "${PUPPET[p]},${PUPPET[q]}"
    puppet p open /p.pem
    puppet q open /q.pem
    tracer_stop
    must_open 'puppet /p.pem'
}

@test "all that is given has to hold: --pid and --name" {
    puppet_start a
    puppet a name wanted
    puppet_start b
    puppet_start c
    puppet c name wanted
    tracer_start monitor --pid "${PUPPET[a]},${PUPPET[b]}" --name wanted
    puppet a open /a.pem
    puppet b open /b.pem
    puppet c open /c.pem
    puppet a name other
    puppet a open /a-renamed.pem
    puppet b name wanted2
    puppet b open /b-renamed.pem
    tracer_stop
    must_open 'wanted /a.pem' 'wanted2 /b-renamed.pem'
}

@test "all that is given has to hold: --pid, --follow-children, --name and --uid" {
    puppet_start p
    puppet_fork p named
    puppet named name wanted
    puppet_fork p right
    puppet right name wanted
    puppet right setuid 65533
    puppet_fork p user
    puppet user setuid 65533
    puppet_start stranger setpriv --reuid 65533 --clear-groups
    puppet stranger name wanted
    tracer_start monitor --pid "${PUPPET[p]}" --follow-children --name wanted --uid 65533
    puppet p open /p.pem
    puppet named open /named.pem
    puppet right open /right.pem
    puppet user open /user.pem
    puppet stranger open /stranger.pem
    tracer_stop
    must_open 'wanted /right.pem'
}

@test "--name narrows what COMMAND and its descendants do" {
    ln -s "$(command -v cat)" "$T/narrow"
    tracer monitor --name narrow -- sh -c "cat /cat.pem; '$T/narrow' /narrow.pem; cat /cat.pem; :"
    must_be 0
    must_open 'narrow /narrow.pem'
    must_count 1 '.event_type == "process_exec"'
}

@test "--uid narrows what COMMAND and its descendants do" {
    tracer monitor --uid 65533 -- sh -c "cat /root.pem; setpriv --reuid 65533 --clear-groups \
        cat /user.pem; cat /root.pem; :"
    must_be 0
    must_open 'cat /user.pem'
}

@test "--pid beside COMMAND: both" {
    puppet_start p
    puppet_start q
    puppet_traced command monitor --output "$T/stream" --pid "${PUPPET[p]}"
    puppet command open /command.pem
    puppet p open /p.pem
    puppet q open /q.pem
    puppet_exit command
    tracer_wait
    must_be 0
    must_open 'puppet /command.pem' 'puppet /p.pem'
}

@test "nothing selected: a stream without events, that adds up" {
    puppet_start p
    tracer_start monitor --name no-such-name
    puppet p open /p.pem
    puppet p run true
    tracer_stop
    must_be 143
    must_open_none
    [ "$(jq -r .event_type "$STREAM" | paste -sd ' ')" = 'start coverage' ]
    # It was seen, and rejected.
    must_have '.event_type == "coverage" and .final and any(.sources[];
               .name == "file_open" and .seen >= 1 and .rejected + .sent == .seen)'
}

@test "without a selection every process is watched" {
    puppet_start p
    puppet_start q setpriv --reuid 65533 --clear-groups
    tracer_start monitor --file /everybody.pem
    puppet p open /everybody.pem
    puppet q open /everybody.pem
    tracer_stop
    must_count 1 "$(opens /everybody.pem) and .pid == ${PUPPET[p]}"
    must_count 1 "$(opens /everybody.pem) and .pid == ${PUPPET[q]}"
}
