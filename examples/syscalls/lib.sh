# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the examples share. Sourced.

tool=${CRYPTO_TRACER:-crypto-tracer}

# begin NAME DIR: recordings go to DIR/NAME.runs/, one each. What was there is replaced.
begin()
{
    name=$1
    if [ -z "$2" ]; then
        echo "usage: $0 DIR" >&2
        exit 2
    fi
    if ! command -v "$tool" >/dev/null; then
        echo "there is no '$tool': set CRYPTO_TRACER" >&2
        exit 127
    fi
    mkdir -p "$2"
    # A program that changes its directory has to find what it is given.
    dir=$(cd "$2" && pwd)
    runs=$dir/$name.runs
    nr=0
    rm -rf "$runs"
    mkdir "$runs"
}

# record [OPTION...] -- COMMAND [ARGUMENT...]: a way of using it that fails is a way, too.
record()
{
    nr=$((nr + 1))
    "$tool" syscalls record --quiet -o "$runs/$nr.json" "$@" >/dev/null || :
    [ -s "$runs/$nr.json" ]
}

# Merges what was recorded and makes the policy.
finish()
{
    "$tool" syscalls merge -o "$dir/$name.json" "$runs"/*.json
    "$tool" syscalls policy -o "$dir/$name.policy" "$dir/$name.json"
    echo "$dir/$name.json: $nr recordings; $dir/$name.policy"
}
