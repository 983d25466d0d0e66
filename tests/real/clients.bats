#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Programs that make, read and keep keys: what the tool reports is what strace and the shell say.

load real

openssl_commands()
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=made \
        -keyout made.key -out made.pem 2>req.log
    openssl x509 -in made.pem -noout -subject
    openssl genpkey -algorithm ED25519 -out ed.key
    openssl pkey -in ed.key -pubout -out ed.pub
    openssl req -new -key ed.key -subj /CN=asked -out asked.csr
    echo secret >pass.key
    openssl pkcs12 -export -in made.pem -inkey made.key -passout file:pass.key -out made.p12
    openssl enc -aes-256-cbc -pbkdf2 -pass file:pass.key -in made.pem -out made.enc
    ends_with 1 openssl enc -d -aes-256-cbc -pbkdf2 -pass file:pass.key -in absent.pem
}

@test "openssl: req, x509, genpkey, pkey, pkcs12, enc" {
    observe openssl_commands
    grep -qx 'subject=CN = made' out
    diff - <(opened openssl | sort -u) <<'EOL'
absent.pem ENOENT
asked.csr success
ed.key success
ed.pub success
made.key success
made.p12 success
made.pem success
pass.key success
EOL
    [ "$(ended openssl)" = "0 0 0 0 0 0 0 1" ]
    has_loaded openssl openssl
    # The shell that makes pass.key is a process of the run like any other.
    [ "$(opened bash)" = "pass.key success" ]
}

ssh_keygen()
{
    ssh-keygen -q -t ed25519 -N '' -C '' -f id_ed25519
    ssh-keygen -y -f id_ed25519 >shown
    ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f ssh_host_rsa_key
    ssh-keygen -q -s id_ed25519 -I name -n user ssh_host_rsa_key.pub
    { printf '[127.0.0.1]:%s ' "$PORT"; cat id_ed25519.pub; } >known_hosts
    ends_with 0 ssh-keygen -F "[127.0.0.1]:$PORT" -f known_hosts
    ends_with 1 ssh-keygen -F absent.example -f known_hosts
}

@test "ssh-keygen: keys, a certificate, known hosts" {
    needs ssh-keygen
    observe ssh_keygen
    cmp <(cut -d ' ' -f 1,2 shown) <(cut -d ' ' -f 1,2 id_ed25519.pub)
    diff - <(opened ssh-keygen | sort -u) <<'EOL'
id_ed25519 success
id_ed25519.pub success
known_hosts success
ssh_host_rsa_key success
ssh_host_rsa_key-cert.pub success
ssh_host_rsa_key.pub success
EOL
    [ "$(ended ssh-keygen)" = "0 0 0 0 0 1" ]
    [ "$(jq -r 'select(.file // "" | endswith("-cert.pub")) | .file_kind' events | uniq)" = \
        ssh_certificate ]
}

ssh_client()
{
    ssh-keygen -q -t ed25519 -N '' -C '' -f id_ed25519
    printf 'Host *\n' >ssh_config
    # Nobody listens on this port.
    ends_with 255 ssh -F ssh_config -i id_ed25519 -o UserKnownHostsFile=known_hosts \
        -o BatchMode=yes -p "$PORT" 127.0.0.1 true
}

@test "ssh: its configuration, before a connection that is refused" {
    needs ssh ssh-keygen
    observe ssh_client
    [ "$(opened ssh | head -n 1)" = "ssh_config success" ]
    [ "$(ended ssh)" = 255 ]
    has_loaded ssh openssl
}

gpg_commands()
{
    mkdir -m 700 ring
    # The agent goes on by itself; it is ended here, and by its home's end.
    trap 'gpgconf --homedir "$T/ring" --kill gpg-agent' EXIT
    gpg --homedir "$T/ring" --batch --quiet --no-autostart --list-keys
    gpg --homedir "$T/ring" --batch --quiet --passphrase '' --quick-generate-key name ed25519 sign
    echo text >text
    gpg --homedir "$T/ring" --batch --quiet --detach-sign --output text.gpg text
    ends_with 0 gpg --homedir "$T/ring" --batch --quiet --verify text.gpg text
    echo other >text
    ends_with 1 gpg --homedir "$T/ring" --batch --quiet --verify text.gpg text
}

@test "gpg and its agent: a key is made, signs, is believed" {
    needs gpg gpg-agent gpgconf
    observe gpg_commands
    key=$(cd ring && find private-keys-v1.d -name '*.key')
    [ -n "$key" ]
    # The private key is the agent's business alone.
    opened gpg-agent | grep -qx "ring/$key success"
    refute_opened gpg "ring/$key"
    for file in ring/pubring.kbx ring/trustdb.gpg text.gpg; do
        opened gpg | grep -qx "$file success"
    done
    [ "$(jq -r --arg key "$T/ring/$key" 'select(.file == $key) | .file_kind' events | sort -u)" = \
        pgp_private_key ]
    [ "$(ended gpg)" = "0 0 0 0 1" ]
    has_loaded gpg-agent libgcrypt
}

refute_opened()
{
    if opened "$1" | grep -F "$2"; then
        return 1
    fi
}

nss_database()
{
    mkdir nss
    certutil -N -d sql:nss --empty-password
    certutil -A -d sql:nss -n server -t C,, -i server.crt
    certutil -L -d sql:nss -n server
    ends_with 255 certutil -L -d sql:nss -n absent
    ends_with 255 certutil -L -d sql:missing
}

@test "certutil: an NSS database is made, filled and read" {
    needs certutil
    observe nss_database
    grep -q CN=localhost out
    for file in nss/cert9.db nss/key4.db nss/pkcs11.txt server.crt; do
        opened certutil | grep -qx "$file success"
    done
    opened certutil | grep -q '^missing/.* ENOENT$'
    [ "$(ended certutil)" = "0 0 0 255 255" ]
    # Those that it is linked with, and the modules that it loads on demand.
    for library in libnss3 libnssutil3 libsoftokn3 libfreebl; do
        [ "$(jq -r --arg name "$library" 'select(.event_type == "lib_load" and .family == "nss" and
            (.library_name | startswith($name))) | .pid' events | sort -u | wc -l)" -eq 5 ]
    done
}
