# SPDX-License-Identifier: MIT
"""What all cells share: certificates, programs that were built, the environment."""

import os
import pathlib
import re
import subprocess

from cell import ports

HERE = pathlib.Path(__file__).resolve().parent
# What would change what programs do.
DISTURBS = re.compile("SSL|CERT|_CA|CA_|GNUTLS|NSS|NODE|PYTHON|PROXY|proxy|^LD_|JAVA|JDK|^GO|CURL")


def run(*command, **named):
    """To its end, without output; an error tells what it said."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, **named)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")
    return done.stdout


class Host:
    """FOLDER is the run's, BUILT where programs are kept."""

    def __init__(self, folder, built):
        self.folder, self.built = folder, built
        self.ends = HERE / "ends"
        self.ports = ports()
        self.python = "/usr/bin/python3"
        self.environment = {key: value for key, value in os.environ.items()
                            if not DISTURBS.search(key)}
        self.environment.update(HOME=str(folder), LC_ALL="C", PYTHONDONTWRITEBYTECODE="1",
                                OPENSSL_CONF="/dev/null")
        self.newer_openssl, self.why_not_newer = None, None
        self.why_not = {}
        self.made = set()

    def prepare(self, stacks):
        """What cells of these stacks need."""
        self.certificates()
        if "nss" in stacks:
            self.databases()
        for stack, build in (("java", self.build_java), ("go", self.build_go),
                             ("mbedtls", self.build_mbedtls), ("openssl-3.5", self.find_newer)):
            if stack in stacks:
                build()

    def cannot(self, stack, version, kind):
        """Why it cannot be here; None when it can."""
        del kind
        return self.why_not.get((stack, version)) or self.why_not.get((stack, None))

    def file(self, name):
        return self.folder / name

    def certificates(self):
        """An authority, those that it signed, and one that has signed none of them."""
        curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        for name in ("ca", "stranger"):
            run("openssl", "req", "-x509", "-newkey", *curve, "-nodes", "-days", 2, "-subj",
                f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign",
                "-keyout", self.file(f"{name}.key"), "-out", self.file(f"{name}.crt"))
        for name, key, usage in (("ec", curve, "serverAuth"), ("rsa", ["rsa:2048"], "serverAuth"),
                                 ("client", curve, "clientAuth")):
            extensions = self.file(f"{name}.ext")
            extensions.write_text("subjectAltName=DNS:*.matrix.example,IP:127.0.0.1\n"
                                  "basicConstraints=CA:FALSE\n"
                                  "keyUsage=digitalSignature,keyEncipherment\n"
                                  f"extendedKeyUsage={usage}\n")
            run("openssl", "req", "-new", "-newkey", *key, "-nodes", "-subj", f"/CN={name}",
                "-keyout", self.file(f"{name}.key"), "-out", self.file(f"{name}.csr"))
            run("openssl", "x509", "-req", "-in", self.file(f"{name}.csr"), "-days", 2,
                "-CA", self.file("ca.crt"), "-CAkey", self.file("ca.key"), "-extfile", extensions,
                "-out", self.file(f"{name}.crt"))

    def databases(self):
        """Where NSS has its certificates."""
        for name, authority, own in (("nss_server", "ca", ["ec", "rsa"]),
                                     ("nss_client", "ca", ["client"]),
                                     ("nss_stranger", "stranger", [])):
            database = self.file(name)
            database.mkdir()
            run("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
            run("certutil", "-A", "-d", f"sql:{database}", "-n", authority, "-t", "CT,C,",
                "-i", self.file(f"{authority}.crt"))
            for key in own:
                packed = self.file(f"{key}.p12")
                run("openssl", "pkcs12", "-export", "-in", self.file(f"{key}.crt"), "-inkey",
                    self.file(f"{key}.key"), "-name", key, "-passout", "pass:word", "-out", packed)
                run("pk12util", "-i", packed, "-d", f"sql:{database}", "-W", "word", "-K", "")

    def stale(self, target, source):
        """Whether it has to be built."""
        return not target.exists() or target.stat().st_mtime < source.stat().st_mtime

    def build_java(self):
        source = self.ends / "End.java"
        if self.stale(self.built / "End.class", source):
            run("javac", "-d", self.built, source)

    def build_go(self):
        """With nothing but the standard library; nothing is fetched."""
        source = self.ends / "end.go"
        environment = {**self.environment, "CGO_ENABLED": "0", "GOPROXY": "off",
                       "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOCACHE": str(self.built / "go")}
        if self.stale(self.built / "go_end", source):
            run("go", "build", "-o", self.built / "go_end", source, env=environment)

    def build_mbedtls(self):
        source = self.ends / "end.c"
        target = self.built / "mbedtls_end"
        if not any(pathlib.Path(folder, "mbedtls/ssl.h").exists()
                   for folder in ("/usr/include", "/usr/local/include")):
            self.why_not["mbedtls", None] = "no mbedtls/ssl.h"
            return
        if self.stale(target, source):
            run("gcc", "-Wall", "-Werror", "-o", target, source, "-lmbedtls", "-lmbedx509",
                "-lmbedcrypto")
        if "1.3" not in run(target, "versions").split():
            self.why_not["mbedtls", "1.3"] = "this Mbed TLS is built without TLS 1.3"

    def find_newer(self):
        """Words that run an OpenSSL with ML-KEM."""
        done = subprocess.run([HERE.parent / "newer-openssl", self.built.parent / "newer-openssl"],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            self.why_not["openssl-3.5", None] = done.stderr.strip().splitlines()[-1]
        else:
            self.newer_openssl = done.stdout.split()
