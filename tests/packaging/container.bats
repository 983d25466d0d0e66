#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The image and the Kubernetes manifest. Neither an engine nor a cluster is here: what the image holds
# is put into an empty root, and gets the capabilities, mounts and namespaces that the manifest gives.

# shellcheck disable=SC2016 # sh and jq expand for themselves
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load ../cmd/helpers
load packaging

setup()
{
    common_setup
    python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"
    MANIFEST=$PACKAGING/kubernetes/daemonset.yaml
    python3 -c 'import json, sys, yaml
print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))' "$MANIFEST" >"$T/manifest"
    needs openssl
    openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$T/seen.pem" -subj /CN=seen \
        2>/dev/null
}

# of_pod FILTER: of the pod's specification.
of_pod()
{
    jq -r ".[] | select(.kind == \"DaemonSet\") | .spec.template.spec | $1" "$T/manifest"
}

# capabilities: those that the container has, as setpriv(1) spells them.
capabilities()
{
    of_pod '.containers[0].securityContext.capabilities.add[]' | tr '[:upper:]' '[:lower:]'
}

# container [WITHOUT]: $TOOL is the image's program, as the manifest runs it; without a capability.
container()
{
    local held=-all cap

    plain_build_only
    needs unshare python3
    [ "$(of_pod '[.hostPID, .containers[0].securityContext.runAsUser,
        .containers[0].securityContext.readOnlyRootFilesystem] | tostring')" = '[true,0,true]' ]
    make_target release >/dev/null
    for cap in $(capabilities); do
        [ "$cap" = "${1:-}" ] || held+=,+$cap
    done
    mkdir -p "$T/image/proc" "$T/image/sys" "$T/image/dev"
    cp "$BUILD/release/crypto-tracer-$(version_of_tool)-linux-$(uname -m)" "$T/image/crypto-tracer"
    : >"$T/image/dev/null"
    # A container's /sys is read-only, and has no tracefs of its own.
    cat >"$T/tool" <<END
#!/bin/sh
exec unshare -m -n --propagation private sh -c '
    [ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing || exit 98
    confined=\$1 root=\$2
    shift 2
    mount --bind "\$root" "\$root" && mount -t proc proc "\$root/proc" &&
        mount -t sysfs -o ro sysfs "\$root/sys" && mount --bind /dev/null "\$root/dev/null" || exit 98
    for path in $(of_pod '[.volumes[].hostPath.path] | join(" ")'); do
        mount --rbind "\$path" "\$root\$path" && mount -o remount,bind,ro "\$root\$path" || exit 98
    done
    mount -o remount,bind,ro "\$root" || exit 98
    ! touch "\$root/file" 2>/dev/null || exit 97
    exec python3 "\$confined" "\$root" "\$@"
' sh "$BATS_TEST_DIRNAME/confined" "$T/image" $held "\$@"
END
    chmod 755 "$T/tool"
    TOOL=$T/tool
}

@test "the manifest asks for least rights" {
    of_pod '.containers[0].securityContext' >"$T/context"
    jq -e '.privileged == false and .allowPrivilegeEscalation == false and
        .readOnlyRootFilesystem and .capabilities.drop == ["ALL"]' "$T/context"
    [ "$(of_pod '[.volumes[].hostPath.path] | join(" ")')" = '/sys/kernel/tracing /sys/fs/cgroup' ]
    [ "$(of_pod '[.containers[0].volumeMounts[].readOnly] | all')" = true ]
    [ "$(of_pod '[.volumes[].name] == [.containers[0].volumeMounts[].name]')" = true ]
    [ "$(of_pod '.hostNetwork // false')" = false ]
    [ "$(of_pod '.containers[0].image')" = "crypto-tracer:$(version_of_tool)" ]
    # The selector finds its pods.
    jq -e '.[1].spec | .selector.matchLabels == .template.metadata.labels' "$T/manifest"
}

@test "its capabilities are those of docs/privileges.md, and the three to give up the rest" {
    { documented_capabilities; printf 'CAP_%s\n' SETUID SETGID SETPCAP; } | sort |
        diff - <(capabilities | tr '[:lower:]' '[:upper:]' | sed 's/^/CAP_/' | sort)
    # So are those of the command line in the documents.
    sed -n '/^    docker run/,/crypto-tracer$/p' "$ROOT/docs/deployment.md" |
        grep -oE 'cap-add=[A-Z_]+' | cut -d = -f 2 | sort |
        diff - <(capabilities | tr '[:lower:]' '[:upper:]' | sort)
}

@test "what the Dockerfile copies is there, and its stages fit together" {
    local path

    sed -n 's/^COPY \([^-].*\) [^ ]*$/\1/p' "$PACKAGING/Dockerfile" | tr ' ' '\n' >"$T/copied"
    [ "$(wc -l <"$T/copied")" -ge 8 ]
    while read -r path; do
        [ -e "$ROOT/$path" ]
        refute grep -qx "$path" "$ROOT/.dockerignore"
    done <"$T/copied"
    # All that the build reads: what is made from the copies alone has the same commands to run.
    mkdir "$T/tree"
    (cd "$ROOT" && xargs cp -r --parents -t "$T/tree") <"$T/copied"
    env -u MAKEFLAGS -u MAKELEVEL make -n -C "$T/tree" release >"$OUT" 2>"$ERR"
    [ "$(grep -c 'printf.* CC ' "$OUT")" -ge 200 ]
    [ "$(grep -c '^FROM ' "$PACKAGING/Dockerfile")" -eq 2 ]
    [ "$(grep '^FROM ' "$PACKAGING/Dockerfile" | tail -n 1)" = 'FROM scratch' ]
    grep -q '^COPY --from=build /image/ /$' "$PACKAGING/Dockerfile"
    grep -q '^ENTRYPOINT \["/crypto-tracer"\]$' "$PACKAGING/Dockerfile"
}

@test "with these rights and mounts alone, monitor reports what happens outside" {
    container
    tracer_start monitor --name head --api none
    act
    wait_for 20 grep -q CN=seen "$STREAM"
    # It has become nobody, without rights.
    grep -qx $'CapEff:\t0000000000000000' "/proc/$TRACER/status"
    tracer_stop
    must_be 143
    must_have_acted
    must_have '.event_type == "file_open" and .certificates[0].subject == "CN=seen"'
    must_have '.event_type == "coverage" and .final and
        ([.sources[] | select(.name == "tap") | .attached] == [true])'
}

@test "so do snapshot and libs" {
    puppet_start holder env LD_PRELOAD=libssl.so.3
    container
    "$TOOL" snapshot >"$OUT"
    jq -e --argjson pid "${PUPPET[holder]}" '.processes[] | select(.pid == $pid) |
        (.libraries | index("libssl.so.3")) != null' "$OUT"
    "$TOOL" libs >"$OUT"
    jq -e --argjson pid "${PUPPET[holder]}" '[.libraries[] | select(.family == "openssl") |
        .processes[].pid] | index($pid) != null' "$OUT"
}

@test "without one of them it does not: the container is one" {
    container bpf
    tracer monitor --duration 0.1
    must_be 3
    TOOL=$BUILD/crypto-tracer
    rm -rf "$T/image"
    container net_admin
    tracer monitor --duration 0.1
    must_be 0
    must_have '.event_type == "coverage" and .final and
        ([.sources[] | select(.name == "tap") | .attached] == [false])'
}
