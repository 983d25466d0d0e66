# SPDX-License-Identifier: MIT
"""What was on the wire: a capture of the loopback, and what tshark reads from it, in the normal
form of reports.py.
"""

import os
import re
import signal
import socket
import subprocess

import names
from cell import LIMIT, Fault, wait_for

# What tshark calls the protocols in which TLS is asked for; where it has no dissector that goes on
# as TLS, its heuristics find TLS by themselves.
DISSECTORS = {"": "tls", "smtp": "smtp", "lmtp": "smtp", "imap": "imap", "pop3": "pop",
              "ftp": "ftp", "nntp": "nntp", "ldap": "ldap", "xmpp": "xmpp", "postgres": "pgsql",
              "mysql": "mysql", "connect": "http", "proxy": None, "sieve": None}
COLUMNS = """tcp.stream tcp.srcport tcp.dstport tcp.payload tls.record.content_type
    tls.app_data tls.handshake.type tls.handshake.version tls.handshake.random
    tls.handshake.extensions.supported_version tls.handshake.ciphersuite
    tls.handshake.extensions_key_share_group tls.handshake.extensions_key_share_selected_group
    tls.handshake.extensions_server_name tls.handshake.extensions_alpn_str
    tls.handshake.server_named_curve tls.handshake.sig_hash_alg tls.handshake.extension.type
    tls.handshake.ja3 tls.alert_message.level tls.alert_message.desc""".split()
HELLO_RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"  # RFC 8446 4.1.3
CHANGE_CIPHER_SPEC = "20"
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_VERIFY = (
    "1", "2", "11", "12", "15")
PRE_SHARED_KEY = "41"
# A client's first record of TLS 1.3 that is encrypted has at least Finished: 4 bytes, a hash, the
# type of the message and 16 bytes of the AEAD. An alert is shorter, also with the 16 bytes with
# which Java pads it.
FINISHED_SIZE = 4 + 32 + 1 + 16


class Capture:
    """dumpcap on the loopback. What is in the file is known by datagrams that are sent last."""

    def __init__(self, folder, ports):
        self.file = folder / "capture.pcapng"
        self.log = folder / "capture.log"
        self.port = ports.stop
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                ["dumpcap", "-q", "-i", "lo", "-B", "64", "-w", self.file, "-f",
                 f"tcp portrange {ports.start}-{ports.stop - 1} or udp port {self.port}"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.reach()

    def reach(self):
        """All that was sent until now is in the file."""
        mark = os.urandom(16)

        def seen():
            self.socket.sendto(mark, ("127.0.0.1", self.port))
            if self.process.poll() is not None:
                raise Fault(f"dumpcap: {self.log.read_text()}")
            return self.file.exists() and mark in self.file.read_bytes()

        wait_for(seen, "the capture has what was sent")

    def stop(self):
        self.reach()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(LIMIT)
        lost = re.search(r"dropped on interface .*: \d+/(\d+)", self.log.read_text())
        if not lost or lost[1] != "0":
            raise Fault(f"packets were lost: {self.log.read_text()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def split(text):
    return text.split(",") if text else []


class Stream:
    """One TCP connection, fed with frames in order."""

    def __init__(self, port):
        self.port = port
        self.report = {"version": "none", "cipher": "none", "group": "none", "signature": "none",
                       "sni": "none", "alpn": "none", "resumed": "no", "retry": "no"}
        self.seen = {"client": [], "server": []}   # types of messages in the clear
        self.changed = set()                       # who has sent ChangeCipherSpec
        self.hidden = []                           # sizes of the client's encrypted records
        self.alert = None
        self.alert_from = None
        self.is_plain_first = None
        self.ja3 = []
        self.offers_alpn = False
        self.hellos = 0

    def feed(self, frame):
        who = "server" if frame["tcp.srcport"] == self.port else "client"
        # What crosses with the alert that ends it comes too late to belong to the handshake.
        if self.alert:
            return
        if self.is_plain_first is None:
            self.is_plain_first = not frame["tcp.payload"].startswith("16")
        types = split(frame["tls.handshake.type"])
        self.seen[who] += types
        if who == "client" and CLIENT_HELLO in types:
            self.report["sni"] = frame["tls.handshake.extensions_server_name"] or "none"
            self.ja3 += split(frame["tls.handshake.ja3"])
            self.offers_alpn = bool(frame["tls.handshake.extensions_alpn_str"])
        if who == "server" and SERVER_HELLO in types:
            self.hello(frame)
        if who == "server" and SERVER_KEY_EXCHANGE in types:
            curve = split(frame["tls.handshake.server_named_curve"])
            scheme = split(frame["tls.handshake.sig_hash_alg"])
            self.report["group"] = names.GROUPS[int(curve[0], 16)] if curve else "none"
            self.report["signature"] = names.SIGNATURES[int(scheme[0], 16)]
        self.records(who, frame)

    def hello(self, frame):
        """Of the server: its choice, or that it asks for another hello."""
        self.hellos += 1
        if HELLO_RETRY in frame["tls.handshake.random"].replace(":", ""):
            self.report["retry"] = "yes"
            return
        chosen = split(frame["tls.handshake.extensions.supported_version"])
        chosen = chosen or split(frame["tls.handshake.version"])
        self.report["version"] = names.version_of_code(int(chosen[0], 16))
        self.report["cipher"] = names.cipher_of_code(
            int(split(frame["tls.handshake.ciphersuite"])[0], 0))
        group = split(frame["tls.handshake.extensions_key_share_group"])
        if group:
            self.report["group"] = names.GROUPS[int(group[0], 0)]
        self.report["alpn"] = frame["tls.handshake.extensions_alpn_str"] or "none"
        if self.report["version"] == "TLSv1.3":
            # These are encrypted.
            del self.report["signature"]
            if self.offers_alpn:
                del self.report["alpn"]
            if PRE_SHARED_KEY in split(frame["tls.handshake.extension.type"]):
                self.report["resumed"] = "yes"

    def records(self, who, frame):
        if CHANGE_CIPHER_SPEC in split(frame["tls.record.content_type"]):
            self.changed.add(who)
        if who == "client":
            self.hidden += [len(data) // 2 for data in split(frame["tls.app_data"])]
        if frame["tls.alert_message.desc"] and "2" in split(frame["tls.alert_message.level"]):
            self.alert = names.ALERTS[int(split(frame["tls.alert_message.desc"])[0])]
            self.alert_from = who

    def end(self):
        """The report on the whole."""
        report = self.report
        if report["version"] == "TLSv1.2" and len(self.changed) == 2:
            report["resumed"] = "no" if CERTIFICATE in self.seen["server"] else "yes"
        if self.alert:
            report["outcome"] = "failed"
            report["alert"] = self.alert
        elif report["version"] == "TLSv1.3":
            if not self.hidden:
                report["outcome"] = "reset"
            elif self.hidden[0] < FINISHED_SIZE:
                report["outcome"] = "failed"
                self.alert_from = "client"
            else:
                report["outcome"] = "established"
                report["alert"] = "none"
        else:
            report["outcome"] = "established" if len(self.changed) == 2 else "reset"
            report["alert"] = "none"
        if report["version"] == "TLSv1.2":
            report["client_cert"] = "yes" if CERTIFICATE_VERIFY in self.seen["client"] else "no"
        return report


def read(file, cells):
    """{port: [(port of the client, Stream)]} of the cells, given as {port: protocol in which TLS is
    asked for}; in the order in which they began."""
    command = ["tshark", "-n", "-r", file, "-Y", "tcp.len > 0", "-T", "fields",
               "-E", "occurrence=a"]
    for port, protocol in cells.items():
        if DISSECTORS[protocol]:
            command += ["-d", f"tcp.port=={port},{DISSECTORS[protocol]}"]
    for column in COLUMNS:
        command += ["-e", column]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Fault(f"tshark: {done.stderr}")
    found = {port: [] for port in cells}
    streams = {}
    for line in done.stdout.splitlines():
        frame = dict(zip(COLUMNS, line.split("\t")))
        ends = {int(frame["tcp.srcport"]), int(frame["tcp.dstport"])}
        port = next((port for port in ends if port in cells), None)
        if port is None:
            continue
        number = frame["tcp.stream"]
        if number not in streams:
            streams[number] = Stream(str(port))
            found[port].append(((ends - {port}).pop(), streams[number]))
        streams[number].feed(frame)
    return found
