# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Ports of the loopback, for tests that start servers.

# port_open PORT: does something listen on PORT of the loopback? Looks, does not connect.
port_open()
{
    local hex
    hex=$(printf ':%04X ' "$1")
    grep -qE "^ *[0-9]+: [0-9A-F]+${hex}[0-9A-F:]+ 0A " /proc/net/tcp /proc/net/tcp6
}

# free_port: prints a port above 40000 on which nobody listens.
free_port()
{
    local port
    while :; do
        port=$((40000 + RANDOM % 20000))
        port_open "$port" || { echo "$port"; return; }
    done
}
