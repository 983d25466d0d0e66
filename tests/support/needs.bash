# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A program that is not installed is a skip with that reason, counted, whether a test needs it or what
# is made for all tests of a file.

# missing PROGRAM...: prints the first that is not installed; false when all are.
missing()
{
    local program

    for program; do
        command -v "$program" >/dev/null || { echo "$program"; return 0; }
    done
    return 1
}

# needs PROGRAM...: for a test or setup(): skips where one of them is missing.
needs()
{
    local program

    ! program=$(missing "$@") || skip "$program is not installed"
}

# file_needs PROGRAM...: for setup_file(), where the skip() of bats 1.8 is a failure: false where one
# of them is missing. `file_needs cc || return 0`: each test of the file is skipped by file_lacks.
file_needs()
{
    local program

    program=$(missing "$@") || return 0
    export FILE_LACKS="$program is not installed"
    return 1
}

# For setup(): skips where file_needs was false.
file_lacks()
{
    [ -z "${FILE_LACKS:-}" ] || skip "$FILE_LACKS"
}
