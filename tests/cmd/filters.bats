#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Which events `monitor` reports of the processes it watches: --event, --file, --library, alone and
# together. What is not asked for is counted, not forgotten.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers

# Acts of every kind, done by a puppet below the tool: files and libraries are in $ACTS.
setup_file()
{
    check_environment
    ACTS=$BATS_FILE_TMPDIR
    mkdir "$ACTS/tls"
    : >"$ACTS/tls/server.pem"
    : >"$ACTS/tls/SERVER.PEM"
    : >"$ACTS/notes.txt"
    cp "$PROGRAMS/puppet" "$ACTS/libcrypto.so.3"
    cp "$PROGRAMS/puppet" "$ACTS/libgnutls.so.30"
    printf '%s\n' "open $ACTS/tls/server.pem" "open $ACTS/tls/SERVER.PEM" "open $ACTS/notes.txt" \
        'open /none/client.key' "map $ACTS/libcrypto.so.3" "map $ACTS/libgnutls.so.30" 'run true' \
        'exit 0' >"$ACTS/script"
}

# acts OPTION...: the stream of one run of them.
acts()
{
    "$TOOL" monitor --output "$T/stream" "$@" -- "$PROGRAMS/puppet" \
        <"$BATS_FILE_TMPDIR/script" >"$OUT" 2>"$ERR" 3>&-
    STREAM=$T/stream
    check_stream
}

# reported: kind and object of each event, without folders.
reported()
{
    jq -r 'select(.event_type != "start" and .event_type != "coverage")
        | .event_type + " " + ((.file // .library // .exe // .process) | sub(".*/"; ""))' "$STREAM"
}

# must_report LINE...: exactly these, in this order.
must_report()
{
    diff <([ $# -eq 0 ] || printf '%s\n' "$@") <(reported)
}

# counted SOURCE COUNTER: of the final coverage.
counted()
{
    tail -n 1 "$STREAM" | jq --arg name "$1" ".sources[] | select(.name == \$name) | .$2"
}

@test "by default: everything but process_fork" {
    acts
    must_report 'process_exec puppet' 'file_open server.pem' 'file_open SERVER.PEM' \
        'file_open client.key' 'lib_load libcrypto.so.3' 'lib_load libgnutls.so.30' \
        'process_exec true' 'process_exit true' 'process_exit puppet'
}

@test "--event: only these" {
    acts --event file_open
    must_report 'file_open server.pem' 'file_open SERVER.PEM' 'file_open client.key'
    acts --event process_exit,process_exec
    must_report 'process_exec puppet' 'process_exec true' 'process_exit true' 'process_exit puppet'
    acts --event lib_load
    must_report 'lib_load libcrypto.so.3' 'lib_load libgnutls.so.30'
}

@test "--event may be repeated, the same one twice is one" {
    acts --event process_exec --event lib_load --event process_exec
    must_report 'process_exec puppet' 'lib_load libcrypto.so.3' 'lib_load libgnutls.so.30' \
        'process_exec true'
}

@test "--event process_fork reports what the default leaves out" {
    acts --event process_fork
    [ "$(reported | sort -u)" = 'process_fork puppet' ]
    must_count 1 '.event_type == "process_fork" and .pid != .ppid'
}

@test "events that were not asked for are counted as filtered" {
    acts --event file_open
    [ "$(counted process_exec written)" -eq 0 ]
    [ "$(counted process_exec filtered)" -eq 2 ]
    [ "$(counted process_exit filtered)" -eq 2 ]
    [ "$(counted file_open written)" -eq 3 ]
    # Those that the kernel's side handed over, that is: what it rejects is counted there.
    [ "$(counted lib_load written)" -eq 0 ]
    [ "$(counted lib_load 'seen == .rejected + .filtered')" = true ]
    # What stays away from the output stays away from --max-events.
    acts --event process_exit --max-events 2
    must_report 'process_exit true' 'process_exit puppet'
    [ "$(counted process_exit throttled)" -eq 0 ]
}

@test "--file: a pattern without a slash is tried on the base name, with one on the path" {
    acts --file 'server.*'
    must_report 'file_open server.pem'
    acts --file 'tls/server.*'
    must_report
    acts --file "$BATS_FILE_TMPDIR/tls/server.*"
    must_report 'file_open server.pem'
    acts --file "*/tls/*"
    must_report 'file_open server.pem' 'file_open SERVER.PEM'
}

@test "--file: * and ? match slashes too" {
    acts --file '/none?client*'
    must_report 'file_open client.key'
    acts --file '/*.pem'
    must_report 'file_open server.pem'
}

@test "--file: upper and lower case are different, classes and escapes work" {
    acts --file '*.PEM'
    must_report 'file_open SERVER.PEM'
    acts --file '*.[pP][eE][mM]'
    must_report 'file_open server.pem' 'file_open SERVER.PEM'
    acts --file 'server.[!x]em'
    must_report 'file_open server.pem'
    acts --file 'ser\ver.pem'
    must_report 'file_open server.pem'
    acts --file 'ser\*.pem'
    must_report
}

@test "--file: also files that are not in the catalogue" {
    acts --file notes.txt
    must_report 'file_open notes.txt'
    must_count 1 "$(opens "$BATS_FILE_TMPDIR/notes.txt") and .file_type == \"unknown\""
    acts --file '*.txt' --file '*.key'
    must_report 'file_open notes.txt' 'file_open client.key'
}

@test "--file: also failed opens, by the name that was tried" {
    acts --file '/none/*'
    must_report 'file_open client.key'
    must_count 1 '.file == "/none/client.key" and .result == "ENOENT"'
}

@test "--file without an end to look for is sorted out in user space, and counted" {
    # No fixed end: the kernel's side cannot tell, all opens come over.
    acts --file '*server*'
    must_report 'file_open server.pem'
    [ "$(counted file_open filtered)" -ge 3 ]
    [ "$(counted file_open 'sent == .written + .filtered')" = true ]
}

@test "--library: family, part of the name, upper or lower case" {
    acts --library openssl
    must_report 'lib_load libcrypto.so.3'
    acts --library OpenSSL
    must_report 'lib_load libcrypto.so.3'
    acts --library gnuT
    must_report 'lib_load libgnutls.so.30'
    acts --library libcrypto --library gnutls
    must_report 'lib_load libcrypto.so.3' 'lib_load libgnutls.so.30'
    acts --library no-such-library
    must_report
    # Those of others on the host are among them.
    [ "$(counted lib_load filtered)" -ge 2 ]
}

@test "--file and --library: what matches either" {
    acts --file '*.key' --library gnutls
    must_report 'file_open client.key' 'lib_load libgnutls.so.30'
}

@test "--event and --file: what both let through" {
    acts --event file_open,process_exec --file '*.key'
    must_report 'file_open client.key'
    acts --event process_exec --file '*.key'
    must_report
    acts --event lib_load --file '*.key' --library openssl
    must_report 'lib_load libcrypto.so.3'
}

@test "the first 16 patterns all count" {
    local patterns=() i

    for i in $(seq 15); do patterns+=(--file "*.none$i"); done
    acts "${patterns[@]}" --file '*.txt'
    must_report 'file_open notes.txt'
}

@test "selection and filters together: a name's opens of one file" {
    ln -s "$(command -v cat)" "$T/chosen"
    tracer monitor --name chosen --uid 0 --event file_open --file '*.cfg' -- sh -c "
        cat /no.cfg; '$T/chosen' /yes.cfg /no.pem; setpriv --reuid 65533 --clear-groups \
        '$T/chosen' /user.cfg; :"
    must_be 0
    must_report 'file_open yes.cfg'
}
