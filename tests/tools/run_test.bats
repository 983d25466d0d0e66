#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The test runner itself: what it counts, and that no broken suite passes for a good one.

setup()
{
    RUN=$(cd "$BATS_TEST_DIRNAME/.." && pwd)/run
    TREE=$BATS_TEST_TMPDIR/tests
    mkdir -p "$TREE/lib" "$TREE/cmd"
}

# suite NAME: a fake unit test program from the script on stdin.
suite()
{
    { echo '#!/usr/bin/env bash'; cat; } >"$TREE/$1_test"
    chmod +x "$TREE/$1_test"
}

# run_suites [OPTION...]: the runner on all fake programs.
run_suites()
{
    run "$RUN" -d "$TREE" "$@" "$TREE"/lib/*_test
}

# must_end PID: it is gone, or waits for init to reap it; a signal may take a moment.
must_end()
{
    for _ in $(seq 600); do
        run grep -qs '^State:.[^Z]' "/proc/$1/status"
        [ "$status" -eq 0 ] || return 0
        sleep 0.1
    done
    echo "process $1 is still running"
    return 1
}

last_line()
{
    printf '%s\n' "${lines[${#lines[@]} - 1]}"
}

good()
{
    suite "lib/$1" <<'EOF'
echo 1..2
echo 'ok 1 - test_one'
echo 'ok 2 - test_two'
EOF
}

@test "a passing suite is counted and the status is 0" {
    good good
    run_suites
    [ "$status" -eq 0 ]
    [[ $output == *"lib/good "*"2 passed   0 failed   0 skipped"* ]]
    [ "$(last_line)" = "2 passed, 0 failed, 0 skipped" ]
}

@test "what a suite said elsewhere counts as if it had run here" {
    printf '%s\n' 1..2 'ok 1 one' 'ok 2 two # skip no such kernel' >"$TREE/lib/far.tap"
    run "$RUN" -d "$TREE" "$TREE/lib/far.tap"
    [ "$status" -eq 0 ]
    [[ $output == *"lib/far "* ]]
    [ "$(last_line)" = "1 passed, 0 failed, 1 skipped" ]
    printf '%s\n' 1..3 'ok 1 one' 'not ok 2 two' >"$TREE/lib/far.tap"
    run "$RUN" -d "$TREE" "$TREE/lib/far.tap"
    [ "$status" -eq 1 ]
    # The one that failed, and the one that is not there.
    [ "$(last_line)" = "1 passed, 2 failed, 0 skipped" ]
}

@test "a failing test is named with its output" {
    suite lib/bad <<'EOF'
echo 1..2
echo 'said by test_one'
echo 'ok 1 - test_one'
echo 'said by test_two'
echo 'not ok 2 - test_two'
echo '# 0x1 != 0x2'
exit 1
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/bad: test_two"*"said by test_two"*"0x1 != 0x2"* ]]
    [[ $output != *"said by test_one"* ]]
    [ "$(last_line)" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a crash after the first result is a failure" {
    suite lib/crash <<'EOF'
echo 1..3
echo 'ok 1 - test_one'
kill -SEGV $$
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/crash: crashed: signal 11, 1 of 3 results seen"* ]]
    [ "$(last_line)" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a crash after the last result is a failure" {
    suite lib/crash <<'EOF'
echo 1..1
echo 'ok 1 - test_one'
kill -ABRT $$
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/crash: status 134 although no test failed"* ]]
    [ "$(last_line)" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a suite that prints nothing is a failure" {
    suite lib/mute </dev/null
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/mute: no plan, status 0"* ]]
    [ "$(last_line)" = "0 passed, 1 failed, 0 skipped" ]
}

@test "results without a plan are a failure" {
    suite lib/planless <<'EOF'
echo 'ok 1 - test_one'
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/planless: no plan"* ]]
    [ "$(last_line)" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a plan of no tests is a failure" {
    suite lib/empty <<'EOF'
echo 1..0
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/empty: no test in it"* ]]
}

@test "fewer results than planned are a failure although the status is 0" {
    suite lib/short <<'EOF'
echo 1..2
echo 'ok 1 - test_one'
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/short: 1 results for a plan of 2"* ]]
}

@test "status 0 with a failed test is a failure of its own" {
    suite lib/liar <<'EOF'
echo 1..1
echo 'not ok 1 - test_one'
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/liar: status 0 although 1 tests failed"* ]]
    [ "$(last_line)" = "0 passed, 2 failed, 0 skipped" ]
}

@test "a leak report after passed tests is a failure" {
    suite lib/leak <<'EOF'
echo 1..1
echo 'ok 1 - test_one'
echo 'ERROR: LeakSanitizer: detected memory leaks' >&2
exit 23
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/leak: status 23 although no test failed"*"detected memory leaks"* ]]
}

@test "a sanitizer's report is a failure, though the test and its program ended well" {
    suite lib/quiet <<'EOF'
echo 1..1
path=${ASAN_OPTIONS##*log_path=}
[ "$path" = "${UBSAN_OPTIONS##*log_path=}" ] || exit 1
[ "$BATS_TEST_TIMEOUT" -eq 600 ] || exit 1
echo 'ERROR: AddressSanitizer: heap-use-after-free' >"$path.17"
echo 'ok 1 - test_one'
EOF
    # bats needs the one of this test.
    run env -u BATS_TEST_TIMEOUT BUILD=build/san "$RUN" -d "$TREE" "$TREE"/lib/*_test
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/quiet: a sanitizer reports:"*"heap-use-after-free"* ]]
    [ "$(last_line)" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a hanging suite is ended with all it started" {
    local limit

    suite lib/hang <<'EOF'
echo 1..1
sleep 120 &
echo $! >"${0%/*}/sleeper"
wait
EOF
    # Until it could start something in that time.
    for limit in 1 10 60; do
        run_suites -t "$limit"
        [ "$status" -eq 1 ]
        [[ $output == *"FAIL lib/hang: ended after $limit s"* ]]
        [ ! -s "$TREE/lib/sleeper" ] || break
    done
    must_end "$(cat "$TREE/lib/sleeper")"
}

@test "SIGTERM ends the runner and the suite it runs" {
    suite lib/hang <<'EOF'
sleep 120 &
echo $! >"${0%/*}/sleeper"
wait
EOF
    "$RUN" -d "$TREE" "$TREE/lib/hang_test" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    runner=$!
    for _ in $(seq 600); do
        [ ! -s "$TREE/lib/sleeper" ] || break
        sleep 0.1
    done
    kill -TERM "$runner"
    status=0
    wait "$runner" || status=$?
    [ "$status" -eq 143 ]
    must_end "$(cat "$TREE/lib/sleeper")"
}

@test "skips are listed with their reasons and are no passes" {
    good good
    suite lib/skips <<'EOF'
echo 1..3
echo 'ok 1 - test_one'
echo 'this kernel has no kprobes'
echo 'not ok 2 # SKIP test_two'
echo 'ok 3 test_three # skip no root'
EOF
    run_suites
    [ "$status" -eq 0 ]
    [[ $output == *"skipped:"*"lib/skips: test_two (this kernel has no kprobes)"* ]]
    [[ $output == *"lib/skips: test_three (no root)"* ]]
    [ "$(last_line)" = "3 passed, 0 failed, 2 skipped" ]
}

@test "a run in which all is skipped fails" {
    suite lib/skips <<'EOF'
echo 1..1
echo 'ok 1 test_one # skip no root'
EOF
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"no test ran"* ]]
    [ "$(last_line)" = "0 passed, 0 failed, 1 skipped" ]
}

@test "a run without any suite fails" {
    run "$RUN" -d "$TREE"
    [ "$status" -eq 1 ]
    [[ $output == *"no test ran"* ]]
    [ "$(last_line)" = "0 passed, 0 failed, 0 skipped" ]
}

@test "a program that is not there is a failure" {
    run "$RUN" -d "$TREE" "$TREE/lib/gone_test"
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL lib/gone: no plan, status 127"* ]]
}

@test "bats files below the tree are run and counted" {
    good good
    # Not a here-document: bats would take a line that begins with @test for one of ours.
    printf '@test "%s" { %s; }\n' 'it holds' true 'it does not' 'echo why; false' \
        >"$TREE/cmd/demo.bats"
    run_suites
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL cmd/demo: it does not"*"why"* ]]
    [[ $output == *"cmd/demo "*"1 passed   1 failed"* ]]
    [ "$(last_line)" = "3 passed, 1 failed, 0 skipped" ]
}

@test "a bats file that does not parse is a failure" {
    printf '@test "open" {\n' >"$TREE/cmd/broken.bats"
    run "$RUN" -d "$TREE"
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL cmd/broken"* ]]
}

@test "-k keeps the suites whose name matches" {
    good one
    good two
    run_suites -k 'lib/t*'
    [ "$status" -eq 0 ]
    [[ $output == *"lib/two "* && $output != *"lib/one "* ]]
    [ "$(last_line)" = "2 passed, 0 failed, 0 skipped" ]
}

@test "two groups of one program are counted together" {
    suite lib/groups <<'EOF'
echo 1..1
echo 'ok 1 - test_one'
echo 1..2
echo 'ok 1 - test_two'
echo 'ok 2 - test_three'
EOF
    run_suites
    [ "$status" -eq 0 ]
    [ "$(last_line)" = "3 passed, 0 failed, 0 skipped" ]
}

@test "a suite has SIGINT at its default" {
    # In a plain background job of a shell it would be ignored, and no shell could change that.
    suite lib/sigint <<'EOF'
echo 1..1
bash -c 'kill -INT $$; sleep 0.1; exit 0'
[ $? -eq 130 ] && echo 'ok 1 - test_sigint_ends' || { echo 'not ok 1 - test_sigint_ends'; exit 1; }
EOF
    run_suites
    [ "$(last_line)" = "1 passed, 0 failed, 0 skipped" ]
}

@test "a wrong option is a usage error" {
    run "$RUN" -z
    [ "$status" -eq 2 ]
    [[ $output == *"usage: tests/run"* ]]
}
