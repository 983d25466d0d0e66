# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# nginx for tests, everything of it below $T.

# shellcheck disable=SC2153 # the test sets it

# shellcheck source=tests/support/ports.bash
. "$(dirname "${BASH_SOURCE[0]}")/ports.bash"

# nginx_config on|off WORKERS [LINE...]: $T/nginx.conf, as a daemon or not, of a server on $PORT
# that has the files below $T/www; the LINEs are those of the server beside. Without any it speaks
# http.
nginx_config()
{
    local daemon=$1 workers=$2

    shift 2
    [ $# -gt 0 ] || set -- "listen 127.0.0.1:$PORT;"
    mkdir -p "$T/www"
    cat >"$T/nginx.conf" <<EOC
user root;
worker_processes $workers;
daemon $daemon;
pid $T/nginx.pid;
error_log $T/nginx.err;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $T/tmp;
    proxy_temp_path $T/tmp;
    fastcgi_temp_path $T/tmp;
    uwsgi_temp_path $T/tmp;
    scgi_temp_path $T/tmp;
    server {
        root $T/www;
$(printf '        %s\n' "$@")
    }
}
EOC
}

# nginx_config_tls on|off WORKERS [LINE...]: the same with TLS, with $T/server.crt and server.key.
nginx_config_tls()
{
    local daemon=$1 workers=$2

    shift 2
    nginx_config "$daemon" "$workers" "listen 127.0.0.1:$PORT ssl;" "ssl_certificate $T/server.crt;" \
        "ssl_certificate_key $T/server.key;" "$@"
}
