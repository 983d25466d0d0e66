#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The Debian package: clean for lintian, complete, installed into a root of its own it works, and the
# service in it is not enabled.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load ../cmd/helpers
load packaging

setup_file()
{
    check_environment
    file_needs cc openssl dpkg-deb dpkg-shlibdeps || return 0
    # setup() says why not.
    plain_build || return 0
    DEBEMAIL=packager@builds.example make_target deb
}

setup()
{
    common_setup
    plain_build_only
    DEB=$BUILD/deb/crypto-tracer_$(version_of_tool)_$(dpkg --print-architecture).deb
}

@test "lintian has nothing to say" {
    needs lintian
    lintian --allow-root --fail-on error,warning,info "$DEB" >"$OUT"
    [ ! -s "$OUT" ]
}

@test "it has what belongs to it, of root, and nothing else" {
    local shells='' shell

    dpkg-deb -c "$DEB" | awk '$1 !~ /^d/ { print $2, $1, $6 }' | LC_ALL=C sort -k 3 >"$T/list"
    refute grep -v '^root/root ' "$T/list"
    for shell in bash zsh fish; do
        ! "$TOOL" completion "$shell" >/dev/null 2>&1 || shells+=$shell
    done
    [ "$(grep -c -e bash-completion -e vendor-completions -e vendor_completions "$T/list")" -eq \
        "$(wc -w <<<"${shells//sh/sh }")" ]
    grep -v completions "$T/list" | sed 's/^root.root //' >"$T/rest"
    { cat <<END
-rw-r--r-- ./etc/logrotate.d/crypto-tracer
-rw-r--r-- ./usr/lib/systemd/system/crypto-tracer.service
-rw-r--r-- ./usr/lib/systemd/system/crypto-tracer.service.d/perf.conf
-rwxr-xr-x ./usr/bin/crypto-tracer
-rw-r--r-- ./usr/lib/sysusers.d/crypto-tracer.conf
-rw-r--r-- ./usr/lib/tmpfiles.d/crypto-tracer.conf
END
        for page in NEWS.gz README.md SECURITY.md changelog.gz copyright \
            $(cd "$ROOT/docs" && ls -- *.md); do
            [ "$page" != events.md ] || page=events.md.gz
            echo "-rw-r--r-- ./usr/share/doc/crypto-tracer/$page"
        done
        echo '-rw-r--r-- ./usr/share/man/man1/crypto-tracer.1.gz'
    } | LC_ALL=C sort -k 2 | diff - "$T/rest"
}

@test "it depends on the libraries that the binary is linked with" {
    local library

    dpkg-deb -f "$DEB" Depends >"$T/depends"
    for library in libbpf libseccomp libcap libssl libjson-c libc6; do
        grep -q "$library" "$T/depends"
    done
    dpkg-deb -f "$DEB" Version | grep -qxF "$(version_of_tool)"
}

@test "installed into a root it works, and is not enabled; removed it leaves its configuration" {
    mkdir -p "$T/root/var/lib/dpkg/info" "$T/root/var/lib/dpkg/updates"
    : >"$T/root/var/lib/dpkg/status"
    dpkg --root="$T/root" --force-depends --force-script-chrootless -i "$DEB" >"$OUT" 2>"$ERR"
    dpkg --root="$T/root" --verify crypto-tracer
    # The user of the service and the folder of its output are there.
    grep -q '^crypto-tracer:' "$T/root/etc/passwd"
    [ -d "$T/root/var/log/crypto-tracer" ]
    [ -z "$(find "$T/root/etc/systemd" "$T/root/usr/lib/systemd" -type l 2>/dev/null)" ]
    [ -f "$T/root$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' \
        "$T/root/usr/lib/systemd/system/crypto-tracer.service")" ]
    zcat "$T/root/usr/share/man/man1/crypto-tracer.1.gz" | cmp - "$ROOT/docs/crypto-tracer.1"
    TOOL=$T/root/usr/bin/crypto-tracer
    openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out "$T/seen.pem" -subj /CN=seen \
        2>/dev/null
    tracer_start monitor --name head
    act
    tracer_stop
    must_have_acted
    # Its output is there until it is purged.
    : >"$T/root/var/log/crypto-tracer/events.json"
    dpkg --root="$T/root" --force-depends --force-script-chrootless -r crypto-tracer >/dev/null 2>&1
    [ "$(cd "$T/root" && find etc usr var/log -type f -path '*crypto-tracer*' | sort | paste -sd ' ')" = \
        'etc/logrotate.d/crypto-tracer var/log/crypto-tracer/events.json' ]
    dpkg --root="$T/root" --force-script-chrootless -P crypto-tracer >/dev/null 2>&1
    [ -z "$(cd "$T/root" && find etc usr var/log -name '*crypto-tracer*')" ]
}

@test "made again it is the same file" {
    SOURCE_DATE_EPOCH=86400 DEBEMAIL=a@b.example "$ROOT/tools/make-deb" "$TOOL" 1.0 "$T/one"
    # Another second, another folder.
    sleep 1.1
    (cd "$T" && umask 077 && SOURCE_DATE_EPOCH=86400 DEBEMAIL=a@b.example \
        "$ROOT/tools/make-deb" "$TOOL" 1.0 two)
    cmp "$T"/one/*.deb "$T"/two/*.deb
    SOURCE_DATE_EPOCH=172800 DEBEMAIL=a@b.example "$ROOT/tools/make-deb" "$TOOL" 1.0 "$T/three"
    refute cmp -s "$T"/one/*.deb "$T"/three/*.deb
}
