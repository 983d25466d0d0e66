#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The openssl command, which is asked for certain algorithms: these are told, and no other.

load calls

hashes()
{
    openssl dgst -sha256 server.crt
    openssl dgst -md5 server.crt
    openssl dgst -sha3-256 server.crt
    openssl dgst -blake2s256 server.crt
}

@test "openssl dgst: that hash; MD5 is broken" {
    calls hashes
    diff - <(sets openssl) <<'EOL'
SHA-256
MD5
SHA3-256
BLAKE2s-256
EOL
    diff - <(findings openssl) <<<'broken_algorithm high MD5'
}

ciphers()
{
    openssl enc -aes-256-cbc -pbkdf2 -k word -in server.crt -out made.enc
    openssl enc -aes-256-cbc -pbkdf2 -iter 1000 -k word -in server.crt -out made.enc
    openssl enc -d -aes-256-cbc -pbkdf2 -iter 1000 -k word -in made.enc -out back
    openssl enc -chacha20 -K 00 -iv 00 -in server.crt -out made.enc 2>enc.log
    openssl enc -aes-128-ctr -K 00 -iv 00 -in server.crt -out made.enc 2>enc.log
    openssl enc -rc4 -provider legacy -provider default -K 00 -in server.crt -out made.enc 2>enc.log
}

@test "openssl enc: the cipher, and what a password goes through" {
    calls ciphers
    cmp server.crt back
    # PBKDF2 is PBKDF2 with HMAC-SHA-256, the default since 1.1.1: 10000 times, each of which hashes.
    diff - <(sets openssl) <<'EOL'
AES-256-CBC HMAC-SHA-256 PBKDF2
AES-256-CBC HMAC-SHA-256 PBKDF2
AES-256-CBC HMAC-SHA-256 PBKDF2
ChaCha20
AES-128-CTR
RC4
EOL
    [ "$(called openssl PKCS5_PBKDF2_HMAC .arguments.iterations | paste -sd' ')" = \
        '"10000" "1000" "1000"' ]
    # One way and the other.
    [ "$(called openssl EVP_CipherInit_ex 'select(.algorithm == "AES-256-CBC") |
        .arguments.encrypt' | uniq | paste -sd' ')" = '"1" "0"' ]
    diff - <(findings openssl) <<<'broken_algorithm high RC4'
    refute_said word
}

# refute_said TEXT: no event's argument has it.
refute_said()
{
    if jq -c 'select(.event_type == "api_call") | .arguments' events | grep -F "$1"; then
        return 1
    fi
}

keys()
{
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>log
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key
    openssl genpkey -algorithm X25519 -out x.key
    openssl genpkey -algorithm ED25519 -out ed.key
    openssl pkey -in rsa.key -pubout -out rsa.pub
}

@test "openssl genpkey: the kind of key; none is made where one is read" {
    calls keys
    # A size and the kind without are one thing, told by two calls.
    diff - <(sets openssl) <<'EOL'
RSA RSA-2048
EC
X25519
Ed25519

EOL
    # The curve is a setting, and the same spelling.
    [ "$(called openssl EVP_PKEY_CTX_ctrl_str '[.arguments.setting, .algorithm]' | paste -sd' ')" = \
        '["rsa_keygen_bits","RSA-2048"] ["ec_paramgen_curve","P-256"]' ]
    [ -z "$(findings openssl)" ]
}

certificates()
{
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=made -keyout made.key -out made.crt \
        2>log
    openssl req -new -key server.key -subj /CN=asked -out asked.csr
    openssl verify -CAfile made.crt made.crt
}

@test "openssl req and verify: what the certificate says" {
    calls certificates
    openssl x509 -in made.crt -noout -text >text
    grep -q 'Signature Algorithm: sha256WithRSAEncryption' text
    grep -q 'Public-Key: (2048 bit)' text
    # The subject key identifier, a SHA-1, is a name and protects nothing; nor does the fingerprint
    # that the library makes of each certificate. Neither is told. A request by a P-256 key has a hash
    # by default that is not an argument. Verifying, the authority's own signature is not looked at.
    diff - <(sets openssl) <<'EOL'
RSA RSA-2048 RSA-SHA-256
ECDSA

EOL
    [ "$(called openssl X509_verify_cert .result)" = 1 ]
    [ -z "$(findings openssl)" ]
}

signatures()
{
    openssl dgst -sha256 -binary -out hashed server.crt
    openssl pkeyutl -sign -inkey rsa.key -pkeyopt digest:sha256 -in hashed -out rsa.sig
    openssl pkeyutl -verify -inkey rsa.key -pkeyopt digest:sha256 -in hashed -sigfile rsa.sig
    openssl pkeyutl -sign -inkey server.key -in hashed -out ec.sig
    openssl pkeyutl -sign -inkey server.key -rawin -digest sha384 -in server.crt -out ec.sig
    openssl pkeyutl -sign -inkey ed.key -rawin -in server.crt -out ed.sig
    openssl pkeyutl -verify -inkey ed.key -rawin -in server.crt -sigfile ed.sig
    openssl dgst -sha256 -sign rsa.key -sigopt rsa_padding_mode:pss -out pss.sig server.crt
    openssl pkeyutl -derive -inkey x.key -peerkey x.pub -out shared
    openssl pkeyutl -derive -inkey server.key -peerkey server.pub -out shared
    openssl pkeyutl -encrypt -inkey rsa.key -in hashed -out crypted
}

@test "openssl pkeyutl and dgst -sign: signatures, agreement, encryption by key" {
    keys
    openssl pkey -in x.key -pubout -out x.pub
    openssl pkey -in server.key -pubout -out server.pub
    calls signatures
    # Ed25519 and nonces of ECDSA are made with SHA-512, as part of them. The padding of RSA is set
    # when the name is told already: PSS is not called PKCS1, but RSA.
    diff - <(sets openssl) <<'EOL'
SHA-256
RSA RSA-SHA-256
RSA
ECDSA
ECDSA-SHA-384
Ed25519
Ed25519
RSA SHA-256
X25519
ECDH
RSA
EOL
    [ -z "$(findings openssl)" ]
}

derivations()
{
    openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:0a1b2c3d -kdfopt salt:rock HKDF
    openssl kdf -keylen 32 -kdfopt pass:word -kdfopt salt:rock -kdfopt n:1024 -kdfopt r:8 \
        -kdfopt p:1 SCRYPT
    openssl mac -digest SHA512 -macopt hexkey:0a1b2c3d -in server.crt HMAC
    openssl mac -cipher AES-128-CBC -macopt hexkey:00112233445566778899aabbccddeeff \
        -in server.crt CMAC
}

@test "openssl kdf and mac: what they are built of, and nothing of the key" {
    calls derivations
    # HKDF is HMAC (RFC 5869), scrypt begins and ends with PBKDF2 (RFC 7914 section 2), CMAC is its
    # cipher. Which hash an HMAC has is told where that is set.
    diff - <(sets openssl) <<'EOL'
HKDF HMAC-SHA-256
HMAC-SHA-256 PBKDF2 scrypt
HMAC HMAC-SHA-512
AES-128-CBC CMAC
EOL
    for secret in 0a1b2c3d word rock 00112233; do
        refute_said "$secret"
    done
}

stores()
{
    openssl pkcs12 -export -in server.crt -inkey server.key -passout pass:word -out new.p12
    openssl pkcs12 -in new.p12 -passin pass:word -nodes -info 2>new.txt
    openssl pkcs12 -legacy -export -in server.crt -inkey server.key -passout pass:word -out old.p12
    openssl pkcs12 -legacy -in old.p12 -passin pass:word -nodes -info 2>old.txt
}

@test "openssl pkcs12: the new form and the old, as -info describes them" {
    calls stores
    grep -q 'MAC: sha256' new.txt
    grep -q 'PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256' new.txt
    grep -q 'MAC: sha1' old.txt
    grep -q 'pbeWithSHA1And40BitRC2-CBC' old.txt
    grep -q 'pbeWithSHA1And3-KeyTripleDES-CBC' old.txt
    # The key of the MAC is derived in the way of PKCS #12 (RFC 7292 appendix B) in both.
    new='AES-256-CBC HMAC-SHA-256 PBKDF2 PKCS12-KDF'
    old='DES-EDE3-CBC HMAC-SHA-1 PKCS12-KDF RC2-40-CBC'
    diff - <(sets openssl) <<<"$new"$'\n'"$new"$'\n'"$old"$'\n'"$old"
    findings openssl | grep -qx 'broken_algorithm high RC2-40-CBC'
    findings openssl | grep -qx 'weak_algorithm medium DES-EDE3-CBC'
    # The module that has the old ones.
    [ "$(called openssl OSSL_PROVIDER_try_load .arguments.provider | sort -u | paste -sd' ')" = \
        '"default" "legacy"' ]
    refute_said word
}
