#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The rpm spec, built by rpmbuild from the tree as it stands, so that nothing is compiled twice. The
# build with the tools of another distribution is that distribution's to test.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # each test is a subshell; variables are for the helpers

load ../cmd/helpers
load packaging

setup()
{
    common_setup
    plain_build_only
    needs rpmbuild rpm rpm2cpio cpio
    SPEC=$PACKAGING/crypto-tracer.spec
}

@test "rpmlint has no complaint but that the source has no address and no build root" {
    needs rpmlint
    rpmlint "$SPEC" >"$OUT"
    grep -q '0 errors' "$OUT"
    refute grep -E '(E|W): ' <(grep -vE 'W: (no-buildroot-tag|invalid-url Source0)' "$OUT")
}

@test "its version is the binary's" {
    rpmspec -q --qf '%{VERSION}\n' "$SPEC" 2>/dev/null | grep -qxF "$(version_of_tool)"
}

@test "it builds, with what belongs to it, and not enabled" {
    local rpm date

    date=$(date -u -d "$("$TOOL" version | sed -n 's/^Built: //p')" +%s)
    # Macros of Fedora's systemd-rpm-macros, where they are not.
    (cd "$ROOT" && env -u MAKEFLAGS -u MAKELEVEL SOURCE_DATE_EPOCH="$date" rpmbuild -bb --nodeps \
        --build-in-place --define "_topdir $T/rpm" --define 'debug_package %{nil}' \
        --define '_unitdir /usr/lib/systemd/system' --define 'systemd_post() %{nil}' \
        --define '_tmpfilesdir /usr/lib/tmpfiles.d' --define '_sysusersdir /usr/lib/sysusers.d' \
        --define 'systemd_preun() %{nil}' --define 'systemd_postun() %{nil}' \
        "$SPEC") >"$OUT" 2>"$ERR" 3>&- || { tail -n 20 "$OUT" "$ERR"; false; }
    rpm=$(find "$T/rpm/RPMS" -name '*.rpm')
    rpm -qlp "$rpm" 2>/dev/null | grep -v '/usr/share/doc\|build-id\|licenses' |
        sed 's/[.]gz$//' >"$T/list"
    diff "$T/list" - <<END
/etc/logrotate.d/crypto-tracer
/usr/bin/crypto-tracer
/usr/lib/systemd/system/crypto-tracer.service
/usr/lib/sysusers.d/crypto-tracer.conf
/usr/lib/tmpfiles.d/crypto-tracer.conf
/usr/share/bash-completion/completions/crypto-tracer
/usr/share/fish/vendor_completions.d/crypto-tracer.fish
/usr/share/man/man1/crypto-tracer.1
/usr/share/zsh/site-functions/_crypto-tracer
END
    rpm -qp --requires "$rpm" 2>/dev/null | grep -q 'libbpf.so.1'
    mkdir "$T/root"
    (cd "$T/root" && rpm2cpio "$rpm" | cpio -idm --quiet)
    "$T/root/usr/bin/crypto-tracer" version | diff - <("$TOOL" version)
}
