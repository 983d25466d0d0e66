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

# free_port: prints a port on which nobody listens, below those that the kernel gives to clients
# (net.ipv4.ip_local_port_range: 32768 and more), one of which may be there before the server is.
free_port()
{
    local port
    while :; do
        port=$((15000 + RANDOM % 17000))
        port_open "$port" || { echo "$port"; return; }
    done
}
