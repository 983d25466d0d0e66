# SPDX-License-Identifier: MIT
"""mail_client.py KEY=VALUE...: STARTTLS of smtplib, imaplib, poplib and ftplib. Prints a line on
the connection: see ../reports.py.
"""

import ftplib
import imaplib
import poplib
import smtplib
import ssl
import sys

GIVEN = dict(word.split("=", 1) for word in sys.argv[1:])
VERSION = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
PORT = int(GIVEN["port"])


class Context(ssl.SSLContext):
    """The name to ask for is not that of the host, which is the one that the modules give."""

    def wrap_socket(self, *arguments, **named):
        return super().wrap_socket(*arguments, **{**named, "server_hostname": GIVEN["sni"]})


def smtp(context):
    client = smtplib.SMTP("127.0.0.1", PORT, timeout=20)
    client.starttls(context=context)
    return client.sock, client.quit


def imap(context):
    client = imaplib.IMAP4("127.0.0.1", PORT, timeout=20)
    client.starttls(context)
    return client.sock, client.logout


def pop3(context):
    client = poplib.POP3("127.0.0.1", PORT, timeout=20)
    client.stls(context)
    return client.sock, client.quit


def ftp(context):
    client = ftplib.FTP_TLS(context=context, timeout=20)
    client.connect("127.0.0.1", PORT)
    client.auth()
    return client.sock, client.quit


def main():
    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(GIVEN["ca"])
    context.minimum_version = context.maximum_version = VERSION[GIVEN["version"]]
    tls, end = {"smtp": smtp, "imap": imap, "pop3": pop3, "ftp": ftp}[GIVEN["protocol"]](context)
    words = {"version": tls.version(), "cipher": tls.cipher()[0], "sni": GIVEN["sni"],
             "alpn": tls.selected_alpn_protocol() or "none",
             "resumed": "yes" if tls.session_reused else "no"}
    print("report", *(f"{key}={value}" for key, value in words.items()), flush=True)
    end()


main()
