#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `schema`: it is a schema, it has every event, and it has teeth. The validator is tested beside it.

load helpers

setup()
{
    common_setup
    SCHEMA=$T/schema.json
    "$TOOL" schema >"$SCHEMA" 2>"$ERR"
    [ ! -s "$ERR" ]
}

# A line that is right, to be made wrong.
good_line()
{
    cat <<'EOF'
{"event_type":"file_open","timestamp":"2026-11-21T09:00:00.123456Z","pid":1,"ppid":0,"uid":0,"process":"p","file":"/x.pem","flags":"O_RDONLY","result":"success","file_type":"certificate","file_kind":"certificate"}
EOF
}

# validates FILTER: whether the line that jq FILTER makes of the good one is valid.
validates()
{
    good_line | jq -c "$1" | "$HERE/validate" "$SCHEMA"
}

needs_validator()
{
    "$HERE/validate" --can || skip "python3-jsonschema is not installed"
}

@test "it is one JSON document of draft 7" {
    [ "$(jq -s length "$SCHEMA")" -eq 1 ]
    [ "$(jq -r '.["$schema"]' "$SCHEMA")" = "http://json-schema.org/draft-07/schema#" ]
    "$TOOL" schema --format json | cmp - "$SCHEMA"
}

@test "it has every event, start and coverage, and the documents" {
    [ "$(jq -r '.oneOf[] | select(.properties.event_type) | .title' "$SCHEMA" | paste -sd ,)" = \
        "$(jq -r '.oneOf[].properties.event_type.const // empty' "$SCHEMA" | paste -sd ,)" ]
    [ "$(jq -r '.oneOf[] | select(.properties.event_type | not) | .title' "$SCHEMA" |
        paste -sd ,)" = snapshot,profile,profiles,libs,check ]
    [ "$(jq -r '.oneOf[].properties.event_type.const // empty' "$SCHEMA" | sort | paste -sd ,)" = \
        "$({ sources_listed; echo start; echo coverage; } | sort | paste -sd ,)" ]
}

@test "every property is described" {
    [ "$(jq '[.oneOf[].properties[]] | length' "$SCHEMA")" -gt 40 ]
    [ "$(jq '[.oneOf[].properties[] | select(.type != "object")
        | select((.description // "") == "")] | length' "$SCHEMA")" -eq 0 ]
}

@test "what the specified schema requires is required here" {
    local event

    for event in file_open lib_load process_exec; do
        [ "$(jq --arg event "$event" --slurpfile ours "$SCHEMA" '
            (.oneOf[] | select(.properties.event_type.const == $event) | .required) -
            ($ours[0].oneOf[] | select(.properties.event_type.const == $event) | .required) |
            length' "$HERE/appendix-b.json")" -eq 0 ]
    done
}

@test "it refuses what is wrong" {
    needs_validator
    validates .
    refute validates 'del(.pid)'
    refute validates 'del(.file)'
    refute validates '.pid = "1"'
    refute validates '.pid = -1'
    refute validates '.more = 1'
    refute validates '.event_type = "file_opened"'
    refute validates '.timestamp = "yesterday"'
    refute validates '.timestamp = "2026-11-21T09:00:00Z"'
    refute validates '[.]'
}

@test "the validator refuses an empty stream and what is not JSON" {
    needs_validator
    refute "$HERE/validate" "$SCHEMA" /dev/null
    { good_line; echo '{"event_type":'; } >"$OUT"
    refute "$HERE/validate" "$SCHEMA" "$OUT"
    { good_line; printf '{"event_type":"start","host":"\xff"}\n'; } >"$OUT"
    refute "$HERE/validate" "$SCHEMA" "$OUT"
    good_line | "$HERE/validate" "$SCHEMA"
}

@test "markdown and man have the same events and fields" {
    local field

    "$TOOL" schema --format markdown >"$T/markdown"
    "$TOOL" schema --format man >"$T/man"
    head -n 1 "$T/markdown" | grep -q '^# '
    for event in $(jq -r '.oneOf[].title' "$SCHEMA"); do
        grep -qx "## $event" "$T/markdown"
        grep -qx ".Ss $event" "$T/man"
    done
    for field in $(jq -r '.oneOf[].properties | keys[]' "$SCHEMA" | sort -u); do
        grep -qE "^\| \`$field\` \| (string|integer|boolean|array|object) \| " "$T/markdown"
        grep -qx ".It Va $field" "$T/man"
    done
}

@test "what belongs to the keys of a map: one value, or an object" {
    local profile='.oneOf[] | select(.title == "profile").properties'

    [ "$(jq -c "$profile.api_calls | [.type, .additionalProperties.type[0]]" "$SCHEMA")" = \
        '["object","integer"]' ]
    [ "$(jq -c "$profile.algorithms | [.type, (.additionalProperties.properties | keys[])]" \
        "$SCHEMA")" = '["object","count","functions"]' ]
    "$TOOL" schema --format markdown >"$T/markdown"
    grep -q '^| .api_calls[.]<function>. | integer | always | ' "$T/markdown"
    grep -q '^| .algorithms[.]<name>[.]functions. | array | always | ' "$T/markdown"
    "$TOOL" schema --format man | grep -qx '.It Va <function>'
}

@test "the man form is a manual page's" {
    needs mandoc
    { printf '.Dd January 1, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd x\n.Sh EVENTS\n'
        "$TOOL" schema --format man; } | mandoc -T lint -W warning
}

@test "an unknown format is a wrong use" {
    status=0
    "$TOOL" schema --format xml >"$OUT" 2>"$ERR" || status=$?
    must_be 2
    must_be_error
    [ ! -s "$OUT" ]
    grep -q markdown "$ERR"
}
