#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Connects and is connected to on demand: a command a line, an answer a line, all is kept open.

  serve CERT KEY [TLS]   answers TLS connections, with that version at most: the port
  listen [ADDRESS]       answers connections and says nothing: the port
  tls PORT [NAME]        does a TLS handshake: the own port, version and cipher suite
  plain PORT [ADDRESS]   connects: the own port
  pair [ADDRESS [VIA]]   both ends of a connection here: their ports
  storm PORT             does handshakes until it is told `calm`
  calm                   how many it has begun since
"""
import socket
import ssl
import sys
import threading

KEPT = []
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(address="127.0.0.1"):
    sock = socket.socket(family_of(address), socket.SOCK_STREAM)
    if ":" in address:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((address, 0))
    sock.listen(100)
    KEPT.append(sock)
    return sock


def answer_all(sock, answer):
    def accept():
        while True:
            peer = sock.accept()[0]
            KEPT.append(peer)
            threading.Thread(target=answer, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return sock.getsockname()[1]


def serve(cert, key, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(cert, key)
    if version:
        context.maximum_version = VERSIONS[version]

    def answer(peer):
        try:
            with context.wrap_socket(peer, server_side=True) as session:
                while session.recv(4096):
                    session.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
                    return
        except OSError:
            pass

    return answer_all(listener(), answer)


def plain(port, address="127.0.0.1"):
    sock = socket.create_connection((address, int(port)))
    KEPT.append(sock)
    return sock


def tls(port, name=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    session = context.wrap_socket(plain(port), server_hostname=name)
    KEPT.append(session)
    return f"{session.getsockname()[1]} {session.version()} {session.cipher()[0]}"


def pair(address="127.0.0.1", via=None):
    sock = listener(address)
    client = plain(sock.getsockname()[1], via or address)
    KEPT.append(sock.accept()[0])
    return f"{client.getsockname()[1]} {sock.getsockname()[1]}"


class Storm:
    """Handshakes one after the other, each of a connection that stays."""

    def __init__(self):
        self.is_on = False
        self.count = 0
        self.thread = None

    def run(self, port):
        while self.is_on:
            tls(port)
            self.count += 1

    def begin(self, port):
        self.is_on = True
        self.thread = threading.Thread(target=self.run, args=(port,), daemon=True)
        self.thread.start()
        return "begun"

    def end(self):
        self.is_on = False
        self.thread.join()
        return self.count


def main():
    storm = Storm()
    commands = {
        "serve": serve,
        "listen": lambda *args: answer_all(listener(*args), lambda peer: None),
        "tls": tls,
        "plain": lambda *args: plain(*args).getsockname()[1],
        "pair": pair,
        "storm": storm.begin,
        "calm": storm.end,
    }
    print("ready", flush=True)
    for line in sys.stdin:
        name, *args = line.split()
        print(commands[name](*args), flush=True)


main()
