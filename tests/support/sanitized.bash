# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# For tests of a tool that is built with sanitizers (BUILD=build/san).

# Whether it is.
sanitized()
{
    case $BUILD in san | */san) return 0 ;; esac
    return 1
}

# not_sanitized WHY: skips the test where it is.
not_sanitized()
{
    ! sanitized || skip "built with sanitizers: $1"
}

# For a test of a tool that is traced, that can make no process, or that getppid(2) is refused: a
# sanitizer looks for leaks by ptrace(2) from a process of its own, and a tool without one has nobody
# who looks. That process ends where getppid() does not tell it its parent, and the sanitizer waits
# for it for ever, running (sanitizer_stoptheworld_linux_libcdep.cpp: TracerThread(), StopTheWorld()).
leaks_unseen()
{
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
}
