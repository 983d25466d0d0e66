#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# tests/support/needs.bash: what is missing is a counted skip with its reason, never a failure and
# never a pass.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# suite NAME: made of the script on stdin, where TEST is @test, which bats would take for ours.
suite()
{
    mkdir -p "$BATS_TEST_TMPDIR/tree"
    {
        echo "#!/usr/bin/env bats"
        echo "load $ROOT/tests/support/needs"
        sed "s,^TEST,@test,"
    } >"$BATS_TEST_TMPDIR/tree/$1.bats"
}

@test "a file that lacks a program: each of its tests is skipped, and the reason said" {
    suite file <<'END'
setup_file()
{
    file_needs sh no-such-program other || return 0
    false
}
setup() { file_lacks; }
TEST "one" { false; }
TEST "two" { false; }
END
    run "$ROOT/tests/run" -d "$BATS_TEST_TMPDIR/tree"
    [ "${lines[-1]}" = '0 passed, 0 failed, 2 skipped' ]
    [ "$(grep -c '(no-such-program is not installed)$' <<<"$output")" -eq 2 ]
}

@test "a test that lacks a program is skipped; one that has all runs" {
    suite test <<'END'
setup_file() { file_needs sh cat; }
setup() { file_lacks; }
TEST "lacks" { needs sh no-such-program; false; }
TEST "has" { needs sh cat; }
TEST "has, and fails" { needs sh; false; }
END
    run "$ROOT/tests/run" -d "$BATS_TEST_TMPDIR/tree"
    [ "${lines[-1]}" = '1 passed, 1 failed, 1 skipped' ]
    grep -q 'lacks (no-such-program is not installed)$' <<<"$output"
}

@test "no setup_file() of a suite skips, which bats 1.8 takes for a failure" {
    # shellcheck disable=SC2016 # awk expands
    run find "$ROOT/tests" \( -name '*.bats' -o -name '*.bash' \) ! -name needs_test.bats -exec awk '
        FNR == 1 { inside = 0 }
        /^[a-z_]*setup_file\(\)/ { inside = 1; nr++ }
        inside && /^ *(needs|skip) / { print FILENAME ": " $0 }
        /^}/ { inside = 0 }
        END { print nr + 0 " seen" }' {} +
    [ "${#lines[@]}" -eq 1 ] || { echo "$output"; false; }
    [ "${output% seen}" -gt 20 ]
}
