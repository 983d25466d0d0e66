#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Redaction, on live runs: no secret that a program is given appears anywhere in what the tool
# prints, whatever the options; names of people do not either, unless --no-redact asks for them.
#
# Every secret here holds S3CR3T and every person is called mallory, so that one look tells.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers

FORMATS='json-stream json-lines json-array json-pretty text'

# What real tools are given; the first word is the name that the program is called by.
secret_commands()
{
    cat <<'EOF'
curl -u bob:S3CR3T1 https://localhost/
curl --user=bob:S3CR3T2 -sS https://localhost/
curl -sku bob:S3CR3T3 https://localhost/
curl -H "Authorization: Bearer S3CR3T4" https://localhost/
curl -H "X-Api-Key: S3CR3T5" --oauth2-bearer S3CR3T6 https://localhost/
curl https://bob:S3CR3T7@localhost/path
curl "https://localhost/?access_token=S3CR3T8&x=1"
curl -b "session=S3CR3T9" --proxy-user bob:S3CR3T10 https://localhost/
curl -E client.pem:S3CR3T11 --pass S3CR3T12 https://localhost/
curl -d '{"user": "bob", "password": "S3CR3T13"}' https://localhost/
wget --password=S3CR3T14 --http-password S3CR3T15 https://localhost/
mysql -uroot -pS3CR3T16 db
mysqldump --password=S3CR3T17 db
psql postgresql://bob:S3CR3T18@localhost/db
redis-cli -a S3CR3T19 ping
mongosh -u bob -p S3CR3T20
sshpass -p S3CR3T21 ssh -p 22 host
sshpass -pS3CR3T22 ssh host
openssl rsa -in key.pem -passin pass:S3CR3T23
openssl pkcs12 -passin pass:S3CR3T24 -passout pass:S3CR3T25
openssl enc -aes-256-cbc -k S3CR3T26 -in f
openssl enc -aes-256-cbc -K S3CR3T27 -iv S3CR3T28
openssl passwd -6 S3CR3T29
openssl dgst -mac HMAC -macopt hexkey:S3CR3T30
keytool -storepass S3CR3T31 -keypass S3CR3T32 -list
gpg --batch --passphrase S3CR3T33 -d f
ssh-keygen -t ed25519 -N S3CR3T34 -f key
docker login -u bob -p S3CR3T35 registry
docker run -e DB_PASSWORD=S3CR3T36 -p 80:80 image
kubectl create secret generic x --from-literal=a=S3CR3T37
vault login S3CR3T38
aws configure set aws_secret_access_key S3CR3T39
ldapsearch -x -D cn=admin -w S3CR3T40
smbclient -U bob%S3CR3T41 //server/share
htpasswd -nbB bob S3CR3T42
zip -P S3CR3T43 a.zip f
7z a -pS3CR3T44 a.7z f
snmpget -v3 -A S3CR3T45 -X S3CR3T46 host
mosquitto_pub -u bob -P S3CR3T47 -t x
ipmitool -P S3CR3T48 chassis status
wpa_passphrase network S3CR3T49
ip xfrm state add src 10.0.0.1 dst 10.0.0.2 enc cbc(aes) 0xS3CR3T50
pkcs11-tool --login --pin S3CR3T51 -O
java -Djavax.net.ssl.keyStorePassword=S3CR3T52 -jar a.jar
server --api-key=S3CR3T53 --client-secret S3CR3T54 --token S3CR3T55
server API_TOKEN=S3CR3T56 GITHUB_SECRET=S3CR3T57 TLS_KEY=S3CR3T58
env PGPASSWORD=S3CR3T59 psql -h localhost
sudo -u bob env A=1 mysql -pS3CR3T60
server --config '{"token":"S3CR3T61","port":1}'
sh -c 'exec mysql -uroot -pS3CR3T62 db'
sh -c "curl -H 'Authorization: Basic S3CR3T63' https://localhost/ | cat"
server "pkcs11:object=x?pin-value=S3CR3T64"
server ghp_S3CR3T65aaaaaaaaaaaaaaaaaaaaaaaaaaaaa
server "-----BEGIN PRIVATE KEY-----
MIIS3CR3T66
-----END PRIVATE KEY-----"
server --key="-----BEGIN EC PRIVATE KEY-----
MHcS3CR3T67
-----END EC PRIVATE KEY-----" tail
server "before -----BEGIN OPENSSH PRIVATE KEY-----
b3BlS3CR3T68 never ended"
EOF
}

# Opens and programs in the homes of people, by every spelling.
home_acts()
{
    printf 'open %s\n' /home/mallory/k.pem /home//mallory/k.pem /srv/../home/mallory/k.pem \
        /home/./mallory/.ssh/id_rsa /var/home/mallory/k.pem /export/home/mallory/k.pem \
        /Users/mallory/k.pem /proc/self/root/home/mallory/k.pem /run/media/mallory/k.pem \
        /var/lib/docker/volumes/mallory_data/k.pem /people/of/mallory/k.pem
    printf 'open %s\n' /root/k.pem /run/user/4711/k.pem
    printf '%s\n' "map $1/libcrypto.so.3" "chdir $1/home/mallory" \
        'open relative.pem' 'run ./program /home/mallory/argument' 'exit 0'
}

# A mount namespace of its own, in which there is a home of mallory, and one in an unusual place.
with_homes()
{
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m sh -c 'mount --bind "$0/passwd" /etc/passwd && mount -t tmpfs none /home &&
        mkdir /home/mallory && cp "$0/puppet" /home/mallory/program &&
        cp "$0/puppet" /home/mallory/libcrypto.so.3 && exec "$@"' "$BATS_FILE_TMPDIR" "$@"
}

setup_file()
{
    local dir=$BATS_FILE_TMPDIR format name

    check_environment
    mkdir "$dir/bin"
    # A puppet without input ends at once, whatever it is called.
    for name in $(secret_commands | sed -nE 's/^([a-z0-9_-]+) .*/\1/p' | sort -u); do
        case $name in
        sh | env | sudo) ;;
        *) ln -s "$PROGRAMS/puppet" "$dir/bin/$name" ;;
        esac
    done
    ln -s "$PROGRAMS/puppet" "$dir/bin/sudo"
    ln -s "$PROGRAMS/puppet" "$dir/bin/cat"
    { echo "PATH=$dir/bin:\$PATH"; secret_commands | sed 's/cbc(aes)/"cbc(aes)"/'; } >"$dir/script"
    for format in $FORMATS; do
        "$TOOL" monitor --verbose --format "$format" --output "$dir/$format" -- sh "$dir/script" \
            >"$dir/$format.out" 2>"$dir/$format.err" </dev/null 3>&- &
    done
    "$TOOL" monitor --verbose --no-redact --output "$dir/no-redact" -- sh "$dir/script" \
        >"$dir/no-redact.out" 2>"$dir/no-redact.err" </dev/null 3>&- &
    wait

    cp "$PROGRAMS/puppet" "$dir/puppet"
    { cat /etc/passwd; echo 'mallory:x:4711:4711::/people/of/mallory:/bin/sh'; } >"$dir/passwd"
    home_acts '' | sed 's,/libcrypto,/home/mallory/libcrypto,' >"$dir/acts"
    for format in $FORMATS no-redact; do
        case $format in no-redact) set -- --no-redact ;; *) set -- --format "$format" ;; esac
        with_homes "$TOOL" monitor --resolve --output "$dir/homes.$format" "$@" -- \
            "$dir/puppet" <"$dir/acts" >"$dir/homes.out" 2>"$dir/homes.$format.err" 3>&- &
    done
    wait
}

# hidden FILE...: no secret in them.
hidden()
{
    local found

    found=$(grep -ahoiE '.{0,60}S3CR3T[0-9]*' "$@" | head -n 5)
    [ -z "$found" ] || { echo "shown: $found"; return 1; }
}

@test "the secrets were given, and the programs seen with all their arguments" {
    STREAM=$BATS_FILE_TMPDIR/json-stream
    [ "$(secret_commands | grep -oE 'S3CR3T[0-9]+' | sort -u | wc -l)" -eq 68 ]
    # Each command once, but for those that a shell runs for another.
    [ "$(events '.event_type == "process_exec"' | wc -l)" -ge "$(secret_commands |
        grep -cE '^[a-z0-9_-]+ ')" ]
    must_count 1 '.event_type == "process_exec" and (.argv[0] | endswith("/wpa_passphrase") or
                  . == "wpa_passphrase") and .argv[1] == "network" and .argv[2] == "***"'
    must_count 0 '.event_type == "process_exec" and .truncated'
}

@test "no secret of a command line is in any output" {
    local format

    for format in $FORMATS; do
        [ "$(grep -aFo '***' "$BATS_FILE_TMPDIR/$format" | wc -l)" -ge 68 ]
        hidden "$BATS_FILE_TMPDIR/$format"
    done
}

@test "nor is any on standard error, with --verbose" {
    local format

    for format in $FORMATS no-redact; do
        grep -q DEBUG "$BATS_FILE_TMPDIR/$format.err"
        hidden "$BATS_FILE_TMPDIR/$format.err"
    done
}

@test "secrets stay hidden with --no-redact" {
    [ "$(grep -Fo '***' "$BATS_FILE_TMPDIR/no-redact" | wc -l)" -ge 68 ]
    hidden "$BATS_FILE_TMPDIR/no-redact"
}

@test "what is no secret is shown: users, hosts, options, files" {
    local dir=$BATS_FILE_TMPDIR

    STREAM=$dir/json-stream
    must_have '.argv == ["curl", "-u", "bob:***", "https://localhost/"]'
    must_have '.argv == ["mysql", "-uroot", "-p***", "db"]'
    must_have '.argv == ["openssl", "rsa", "-in", "key.pem", "-passin", "pass:***"]'
    must_have '.argv == ["sshpass", "-p", "***", "ssh", "-p", "22", "host"]'
    must_have '.argv[0] == "docker" and .argv[-3:] == ["-p", "80:80", "image"]'
    must_have '.cmdline == "curl -u bob:*** https://localhost/"'
}

@test "the secrets of COMMAND itself: start line, events, messages" {
    local format

    for format in json-stream json-array json-pretty text; do
        tracer monitor --verbose --format "$format" -- "$BATS_FILE_TMPDIR/bin/curl" -u bob:S3CR3T \
            --token=S3CR3T https://x:S3CR3T@localhost/
        must_be 0
        grep -qF 'bob:***' "$OUT"
        hidden "$OUT" "$ERR"
    done
    tracer monitor --verbose -- sh -c "exec '$BATS_FILE_TMPDIR/bin/mysql' -pS3CR3T"
    hidden "$OUT" "$ERR"
    # Also where it cannot be run.
    tracer monitor --verbose -- "$T/none/mysql" -pS3CR3T --password S3CR3T
    must_be 127
    hidden "$OUT" "$ERR"
}

@test "names of processes and threads may hold secrets too" {
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    puppet p name 'token=S3CR3T'
    puppet p open /a.pem
    puppet p thread 'pw=S3CR3T' /b.pem
    tracer_stop
    must_count 1 "$(opens /a.pem) and .process == \"token=***\""
    must_count 1 "$(opens /b.pem) and .thread == \"pw=***\""
    hidden "$OUT" "$ERR"
}

@test "environment, input, and what files hold are not read at all" {
    echo S3CR3T-in-a-file >"$T/server.key"
    echo S3CR3T-in-input | DB_PASSWORD=S3CR3T PLAIN=S3CR3T "$TOOL" monitor --verbose -- \
        sh -c "cat '$T/server.key' - >/dev/null" >"$OUT" 2>"$ERR" 3>&-
    check_stream
    must_count 1 "$(opens "$T/server.key")"
    hidden "$OUT" "$ERR"
}

@test "certificates in arguments are public" {
    tracer monitor -- true $'-----BEGIN CERTIFICATE-----\nMIIpublic\n-----END CERTIFICATE-----'
    must_have '.event_type == "process_exec" and (.argv[1] | test("MIIpublic"))'
}

@test "homes: who it is stays hidden, in every format and every spelling" {
    local format

    for format in $FORMATS; do
        refute grep -ai 'mallory' "$BATS_FILE_TMPDIR/homes.$format" >&2
        refute grep -aE '(^|[" ])/root/|4711/' "$BATS_FILE_TMPDIR/homes.$format" >&2
    done
}

@test "homes: what lies below them is shown" {
    local home

    STREAM=$BATS_FILE_TMPDIR/homes.json-stream
    check_stream
    for home in home/USER var/home/USER export/home/USER Users/USER home/ROOT run/user/UID \
        run/media/USER var/lib/docker/volumes/USERID_data; do
        must_have ".file == \"/$home/k.pem\""
    done
    must_have '.file == "/home/USER/.ssh/id_rsa"'
    must_have '.file == "/home/USER/relative.pem"'
    must_have '.event_type == "lib_load" and .library == "/home/USER/libcrypto.so.3"'
    must_have '.event_type == "process_exec" and .exe == "/home/USER/program"
               and .cwd == "/home/USER" and .argv == ["./program", "/home/USER/argument"]'
    must_have '.file == "/proc/self/root/home/USER/k.pem"'
    # Three spellings of one home, and the one that only the passwd file knows.
    must_count 4 '.file == "/home/USER/k.pem"'
}

@test "--no-redact shows who it is, as it was spelled" {
    STREAM=$BATS_FILE_TMPDIR/homes.no-redact
    check_stream
    must_have '.file == "/home/mallory/k.pem"'
    must_have '.file == "/root/k.pem"'
    must_have '.file == "/run/user/4711/k.pem"'
    must_have '.file == "/people/of/mallory/k.pem"'
    must_have '.event_type == "process_exec" and .exe == "/home/mallory/program"
               and .cwd == "/home/mallory" and .argv[1] == "/home/mallory/argument"'
    must_have '.event_type == "lib_load" and .library == "/home/mallory/libcrypto.so.3"'
}

@test "homes are hidden in the start line and in real_path" {
    : >"$T/target.pem"
    tracer monitor --file '/home/mallory/*' --output "$T/out" -- true /home/mallory/x
    must_count 1 '.event_type == "start" and (.options | index("/home/USER/x"))'
    refute grep -q mallory "$STREAM"
    tracer monitor --no-redact -- true /home/mallory/x
    must_count 1 '.event_type == "start" and (.options | index("/home/mallory/x"))'
}

# tls_client OPTION...: a client of TLS, whose name for the server is nowhere in its arguments, below
# a tracer with these options.
tls_client()
{
    local port=$((15000 + RANDOM % 17000))

    needs openssl
    [ -x /usr/bin/python3 ] || skip "no python3"
    openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=shown.mallory.example \
        -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
    cat >"$T/client.py" <<'EOF'
import socket, ssl, sys
context = ssl._create_unverified_context()
context.maximum_version = ssl.TLSVersion.TLSv1_2
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
    with context.wrap_socket(plain, server_hostname="asked.mallory.example") as tls:
        tls.sendall(b"x")
EOF
    openssl s_server -accept "127.0.0.1:$port" -cert "$T/cert.pem" -key "$T/key.pem" -quiet \
        </dev/null >"$T/server" 2>&1 3>&- &
    PUPPET["server $port"]=$!
    wait_for 10 grep -q ":$(printf %04X "$port") 00000000:0000 0A" /proc/net/tcp
    tracer monitor "$@" -- /usr/bin/python3 "$T/client.py" "$port"
    must_be 0
}

@test "--redact-sni hides what a client calls its server, in every format and every event" {
    local format

    for format in $FORMATS; do
        tls_client --format "$format" --redact-sni
        grep -q tls_handshake "$OUT"
        grep -qF '***' "$OUT"
        refute grep -ai 'mallory.example' "$OUT" "$ERR" >&2
    done
    tls_client --redact-sni --no-redact
    must_count 1 '.event_type == "tls_handshake" and .server_name == "***" and
                  .outcome == "established" and (.certificates | not)'
    # A call tells it as well.
    must_have '.event_type == "api_call" and .arguments["host name"] == "***"'
    refute grep -ai 'mallory.example' "$OUT" "$ERR" >&2
}

@test "without it the name is shown, and what the server shows" {
    tls_client
    must_count 1 '.event_type == "tls_handshake" and .server_name == "asked.mallory.example" and
                  .certificates[0].subject == "CN=shown.mallory.example"'
    must_have '.event_type == "api_call" and .arguments["host name"] == "asked.mallory.example"'
}
