#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Programs of other languages and other libraries, each asked for certain algorithms: these are told,
# and no other. What a library does by itself, to name a key or draw a random number, is not told.

load calls

hashlib()
{
    "$PYTHON" -c 'import hashlib; hashlib.sha256(b"x").digest(); hashlib.md5(b"x").digest()'
    "$PYTHON" -c 'import hashlib'
    "$PYTHON" -c 'import hashlib; hashlib.sha3_256(b"x").digest(); hashlib.shake_128(b"x").digest(8)'
    "$PYTHON" -c 'import hashlib; hashlib.new("sha512_256", b"x").hexdigest()'
    "$PYTHON" -c 'import hashlib; hashlib.pbkdf2_hmac("sha1", b"word", b"rock", 1000)'
    "$PYTHON" -c 'import hashlib; hashlib.scrypt(b"word", salt=b"rock", n=1024, r=8, p=1)'
    "$PYTHON" -c 'import hmac; hmac.new(b"word", b"x", "sha384").digest()'
}

@test "python hashlib: what was hashed, of all that it sets up" {
    calls hashlib
    # Iterations are counted in thousands, and are not calls of the program.
    diff - <(sets python3) <<'EOL'
MD5 SHA-256

SHA3-256 SHAKE128
SHA-512/256
HMAC-SHA-1 PBKDF2
HMAC-SHA-256 PBKDF2 scrypt
HMAC-SHA-384
EOL
    diff - <(findings python3 0) <<<'broken_algorithm high MD5'
    [ "$(called python3 PKCS5_PBKDF2_HMAC .arguments)" = '{"iterations":"1000","hash":"SHA-1"}' ]
    if jq -c 'select(.event_type == "api_call") | .arguments' events | grep -E 'word|rock'; then
        return 1
    fi
}

cryptography()
{
    "$PYTHON" -c '
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
AESGCM(bytes(32)).encrypt(bytes(12), b"x", None)'
    "$PYTHON" -c '
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
ChaCha20Poly1305(bytes(32)).encrypt(bytes(12), b"x", None)'
    "$PYTHON" -c '
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
key = Ed25519PrivateKey.generate()
key.public_key().verify(key.sign(b"x"), b"x")'
    "$PYTHON" -c '
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP384R1())
key.sign(b"x", ec.ECDSA(hashes.SHA384()))'
    "$PYTHON" -c '
from cryptography.fernet import Fernet
Fernet(Fernet.generate_key()).encrypt(b"x")'
}

@test "python cryptography: ciphers, signatures, Fernet" {
    "$PYTHON" -c 'import cryptography' || skip "no python cryptography"
    calls cryptography
    # It hashes by itself what it signs by ECDSA. Fernet is AES-128-CBC with HMAC-SHA-256. The curve is
    # in the key when that is told.
    diff - <(sets python3) <<'EOL'
AES-256-GCM
ChaCha20-Poly1305
Ed25519
EC ECDSA SHA-384
AES-128-CBC HMAC-SHA-256
EOL
    [ -z "$(findings python3)" ]
}

node_crypto()
{
    node -e '1'
    node -e 'require("crypto").createHash("sha256").update("x").digest()'
    node -e '
const cipher = require("crypto").createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12));
cipher.update("x");
cipher.final()'
    node -e 'require("crypto").generateKeyPairSync("ed25519")'
    node -e 'require("crypto").pbkdf2Sync("word", "rock", 1000, 32, "sha256")'
}

@test "node: OpenSSL inside the program or beside it" {
    needs node
    # It takes a moment to find the library in a program: the first one is for that.
    LATE=node calls node_crypto
    sets node >found
    # Where it is inside, what hashes for the program and what for Ed25519 is not told apart: it is
    # made with SHA-512 (RFC 8032).
    inside=
    ldd "$(command -v node)" | grep -q libcrypto || inside=yes
    diff - found <<EOL

SHA-256
AES-256-GCM
Ed25519${inside:+ SHA-512}
HMAC-SHA-256 PBKDF2
EOL
}

gpg_acts()
{
    mkdir -m 700 ring
    trap 'gpgconf --homedir "$T/ring" --kill gpg-agent' EXIT
    gpg --homedir "$T/ring" --batch --print-md sha256 server.crt
    gpg --homedir "$T/ring" --batch --pinentry-mode loopback --passphrase word \
        --cipher-algo AES256 --s2k-digest-algo SHA512 --symmetric -o made.gpg server.crt
    gpg --homedir "$T/ring" --batch --quiet --passphrase '' --quick-generate-key name ed25519 sign
    gpg --homedir "$T/ring" --batch --quiet --digest-algo SHA512 --detach-sign -o made.sig server.crt
}

@test "gpg: a hash, a file under a password, a signature" {
    needs gpg gpg-agent gpgconf
    calls gpg_acts
    gpg --homedir "$T/ring" --batch --list-packets made.sig | grep -q 'digest algo 10'
    # SHA-1 is what OpenPGP has for fingerprints of keys and behind encrypted files (RFC 4880
    # sections 12.2 and 5.14): used for that, by the program. The key signs itself by SHA-256, which
    # is checked when it signs something else.
    diff - <(sets gpg) <<'EOL'
SHA-256
AES-256-CFB OpenPGP-S2K SHA-1
SHA-1 SHA-256
SHA-1 SHA-256 SHA-512
EOL
    # The agent signs; the kind of key is in a structure that is not read.
    [ "$(called gpg-agent gcry_pk_sign .result | sort -u)" = 0 ]
}

nss_acts()
{
    head -c 64 /dev/urandom >noise
    certutil -N -d sql:. --empty-password
    certutil -S -d sql:. -n made -s CN=made -x -t C,, -z noise -k rsa -g 2048 -Z SHA256
    certutil -L -d sql:. -n made
}

@test "certutil: a key pair and a certificate that it signs" {
    needs certutil
    calls nss_acts
    grep -q 'Signature Algorithm: PKCS #1 SHA-256 With RSA Encryption' out
    # The database is under a password by functions of the token, which are not called from outside.
    # Its names for keys and certificates are SHA-1 and not told; a fingerprint that is shown is.
    grep -q 'Fingerprint (SHA1)' out
    diff - <(sets certutil) <<'EOL'

RSA RSA-PKCS1 SHA-256
SHA-1 SHA-256
EOL
    [ -z "$(findings certutil 1)" ]
}

certtool_acts()
{
    echo 'cn = "made"' >template
    certtool --generate-privkey --key-type rsa --bits 2048 --outfile rsa.key
    certtool --generate-privkey --key-type ed25519 --outfile ed.key
    certtool --generate-self-signed --load-privkey rsa.key --template template --hash SHA384 \
        --outfile made.crt
}

@test "certtool: keys and a certificate" {
    needs certtool
    calls certtool_acts 2>log
    openssl x509 -in made.crt -noout -text | grep -q 'Signature Algorithm: sha384WithRSAEncryption'
    # Which kind of key signs is not among the arguments.
    diff - <(sets certtool) <<'EOL'
RSA-2048
Ed25519
SHA-384
EOL
}

# built NAME LIBRARY HEADER: the program of that source.
built()
{
    needs gcc
    [ -e "/usr/include/$3" ] || skip "no $3"
    gcc -Wall -Werror -o "$1" "$HERE/$1.c" "-l$2"
}

@test "libsodium: what each function is, and nothing that it is built of" {
    built with_sodium sodium sodium.h
    calls ./with_sodium
    diff - <(sets with_sodium) <<<'Argon2id Ed25519 XChaCha20-Poly1305 XSalsa20-Poly1305'
    [ "$(called with_sodium crypto_sign_open .result)" = 0 ]
}

@test "Mbed TLS: AES-GCM with the size of its key, a hash, a key from a password" {
    built with_mbedtls mbedcrypto mbedtls/gcm.h
    calls ./with_mbedtls
    # GCM sets up the cipher that it is a mode of, as others do.
    diff - <(sets with_mbedtls) <<<'AES-256 AES-256-GCM PBKDF2 SHA-256'
}
