#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tools/check-layout on small trees: a good one passes, each kind of fault is named.

setup()
{
    CHECK=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/tools/check-layout
    TREE=$BATS_TEST_TMPDIR/tree
    mkdir -p "$TREE"/src/{lib,cmd,sources/exec} "$TREE"/tests/{lib,cmd,sources/exec}
    # A repository of its own, wherever the temporary folder is.
    git init -q "$TREE"
    file src/lib/buf.c
    file tests/lib/buf_test.c
    file src/cmd/show.c
    printf '#!/usr/bin/env bats\n# SPDX-License-Identifier: MIT\n' >"$TREE/tests/cmd/show.bats"
    file src/sources/exec/exec.c
    file src/sources/exec/exec.bpf.c
    file tests/sources/exec/exec_test.c
    file src/sources.def 'SOURCE(0, exec)'
}

# file PATH [LINE...]: a file below the tree with a licence line and these lines.
file()
{
    local path=$1
    shift
    printf '%s\n' '/* SPDX-License-Identifier: MIT */' "$@" >"$TREE/$path"
}

must_say()
{
    run "$CHECK" "$TREE"
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$output" = "$1" ]
}

@test "a good tree passes in silence" {
    run "$CHECK" "$TREE"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "a file without a test is named" {
    file src/lib/log.c
    must_say "src/lib/log.c: has no tests/lib/log_test.c"
}

@test "a command without any test is named" {
    rm "$TREE/tests/cmd/show.bats"
    must_say "src/cmd/show.c: has no tests/cmd/show_test.c"
}

@test "a line of sources.def without its folders is named" {
    file src/sources.def 'SOURCE(0, exec)' 'SOURCE(1, exit)'
    must_say "src/sources.def: 'exit' has no src/sources/exit/
src/sources.def: 'exit' has no tests/sources/exit/"
}

@test "a source folder without its line is named" {
    mkdir "$TREE/src/sources/exit"
    must_say "src/sources/exit/: has no line in src/sources.def"
}

@test "a file of 601 lines is named, one of 600 is not" {
    # The licence line counts.
    mapfile -t padding < <(seq 599)
    file src/lib/buf.h "${padding[@]}"
    run "$CHECK" "$TREE"
    [ "$status" -eq 0 ]
    file src/lib/buf.h "${padding[@]}" 600
    must_say "src/lib/buf.h: has 601 lines, more than 600: split it by noun"
}

@test "a file without a licence line is named, also a script" {
    echo 'int buf;' >"$TREE/src/lib/buf.h"
    printf '#!/bin/sh\necho\n' >"$TREE/go"
    must_say "go: does not begin with an SPDX line
src/lib/buf.h: does not begin with an SPDX line"
}

@test "what is left undone is named with its line" {
    # In two pieces, so that the check does not find this file.
    file src/lib/buf.h '/* nothing */' "/* TO""DO: grow */"
    must_say "src/lib/buf.h:3: leaves something undone"
}

@test "files that git ignores are none of ours" {
    echo 'int generated;' >"$TREE/src/lib/made.h"
    echo '/src/lib/made.h' >"$TREE/.git/info/exclude"
    run "$CHECK" "$TREE"
    [ "$status" -eq 0 ]
}

@test "a tree without git is checked too" {
    rm -rf "$TREE/.git"
    # Above the tree there may be a repository, which must not be asked.
    export GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR
    file src/lib/log.c
    must_say "src/lib/log.c: has no tests/lib/log_test.c"
}
