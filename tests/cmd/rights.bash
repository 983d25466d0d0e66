# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The tool run by an ordinary user that has some capabilities, for tests of what it needs. Loaded
# after helpers.

# A user that owns nothing here.
USER_ID=65533

# For setup_file: a copy of the tool where other users may execute it.
rights_setup_file()
{
    cp "$TOOL" "$BATS_FILE_TMPDIR/crypto-tracer"
    chmod 755 "$BATS_FILE_TMPDIR/crypto-tracer"
}

# with_tracefs COMMAND...: where the tracing file system is mounted; an ordinary user cannot make a
# mount of its own. Status 99: it cannot be mounted.
with_tracefs()
{
    unshare -m bash -c '[ -e /sys/kernel/tracing/events ] ||
        mount -t tracefs tracefs /sys/kernel/tracing || exit 99; exec "$@"' bash "$@"
}

# as_user "CAPABILITY..." ARG...: the tool, to its end, run by an ordinary user that has just these.
as_user()
{
    local list=-all name

    for name in $1; do list+=,+$name; done
    shift
    stream_of "$@"
    status=0
    with_tracefs setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --inh-caps "$list" \
        --ambient-caps "$list" timeout -k 5 60 "$BATS_FILE_TMPDIR/crypto-tracer" "$@" \
        >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    [ "$status" -ne 99 ] || skip "the tracing file system cannot be mounted"
}
