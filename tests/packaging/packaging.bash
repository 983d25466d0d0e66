# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Shared by the tests of what is published.

# shellcheck disable=SC2034 # for helpers.bash, which this is loaded behind
HERE=$ROOT/tests/cmd
PACKAGING=$ROOT/packaging

# Only what `make` leaves is published, no variant with sanitizers.
plain_build()
{
    [ "$BUILD" = "$ROOT/build" ]
}

# For a test, or setup(): the skip() of bats 1.8 is a failure in setup_file().
plain_build_only()
{
    plain_build || skip "of the plain build only, not of $BUILD"
}

# make_target ARG...: make, whatever make runs these tests.
make_target()
{
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory -C "$ROOT" "$@" 3>&-
}

# version_of_tool: the number.
version_of_tool()
{
    "$BUILD/crypto-tracer" version | sed -n 's/^crypto-tracer version //p'
}

# In the shell of the test and seen by the tool from wherever it is: a program is executed, a
# certificate opened.
act()
{
    /usr/bin/head -c 1 "$T/seen.pem" >/dev/null
}

# must_have_acted [UID]: the stream tells of act(), which a user of that number did.
must_have_acted()
{
    must_have '.event_type == "process_exec" and .process == "head" and .uid == '"${1:-0}"
    must_have '.event_type == "file_open" and .process == "head" and .result == "success"
        and .file == "'"$T/seen.pem"'"'
    must_have '.event_type == "process_exit" and .process == "head" and .exit_code == 0'
}

# The capabilities of the table in docs/privileges.md, a line each, sorted.
documented_capabilities()
{
    sed -nE 's/^\| (CAP_[A-Z_]+) \|.*/\1/p' "$ROOT/docs/privileges.md" | sort
}
