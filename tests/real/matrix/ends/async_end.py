# SPDX-License-Identifier: MIT
"""async_end.py client|server KEY=VALUE...: an end of TLS connections with asyncio, which gives the
library bytes and not a socket. A line for each connection: see ../reports.py.
"""

import asyncio
import ssl
import sys

ROLE = sys.argv[1]
GIVEN = dict(word.split("=", 1) for word in sys.argv[2:])
VERSION = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Context(ssl.SSLContext):
    """Goes on with the session that is kept in it: asyncio has no argument for that."""
    kept = None

    def wrap_bio(self, *arguments, **named):
        return super().wrap_bio(*arguments, **named, session=self.kept)


def context():
    made = Context(ssl.PROTOCOL_TLS_SERVER if ROLE == "server" else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = VERSION[GIVEN["version"]]
    made.load_verify_locations(GIVEN["ca"])
    if "cert" in GIVEN:
        made.load_cert_chain(GIVEN["cert"] + ".crt", GIVEN["cert"] + ".key")
    if "alpn" in GIVEN:
        made.set_alpn_protocols([GIVEN["alpn"]])
    if "ciphers" in GIVEN:
        made.set_ciphers(GIVEN["ciphers"])
    if "group" in GIVEN:
        made.set_ecdh_curve(GIVEN["group"])
    if "require" in GIVEN:
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def report(tls, name):
    words = {"version": tls.version(), "cipher": tls.cipher()[0], "sni": name or "none",
             "alpn": tls.selected_alpn_protocol() or "none",
             "resumed": "yes" if tls.session_reused else "no"}
    if ROLE == "server":
        words["client_cert"] = "yes" if tls.getpeercert() else "no"
    print("report", *(f"{key}={value}" for key, value in words.items()), flush=True)


def failed(error):
    print("report failed", error, flush=True)


async def client():
    made = context()
    for _ in range(int(GIVEN["count"])):
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", int(GIVEN["port"]), ssl=made, server_hostname=GIVEN["sni"])
        except (ssl.SSLError, OSError) as error:
            failed(error)
            continue
        await reader.readline()
        tls = writer.get_extra_info("ssl_object")
        report(tls, GIVEN["sni"])
        made.kept = tls.session
        writer.close()
        await writer.wait_closed()


async def server():
    made = context()
    names = {}
    made.sni_callback = lambda tls, name, _: names.update({id(tls): name})
    left = asyncio.Semaphore(0)

    async def answer(reader, writer):
        try:
            await writer.start_tls(made)
        except (ssl.SSLError, OSError) as error:
            failed(error)
        else:
            tls = writer.get_extra_info("ssl_object")
            report(tls, names.get(id(tls)))
            writer.write(b"hello\n")
            await reader.read()
        writer.close()
        left.release()

    async with await asyncio.start_server(answer, "127.0.0.1", int(GIVEN["port"])):
        for _ in range(int(GIVEN["count"])):
            await left.acquire()


asyncio.run(server() if ROLE == "server" else client())
