# SPDX-License-Identifier: MIT
"""A cell of the matrix: a server, and the clients that connect to it one after another.

The port of a cell is its own in a run and below those that the kernel gives to clients, so that it
names the cell in a capture. A server that listens has it for sure: the socket is looked up among
the files of the server's process.
"""

import itertools
import os
import pathlib
import random
import subprocess
import time

LIMIT = 30  # seconds that anything may take
PORTS = range(15000, 32000)
LOOPBACK = "127.0.0.1"


class Fault(Exception):
    """The cell did not run as it has to."""


def wait_for(condition, what, limit=LIMIT):
    """Until condition() is true; returns what it returned."""
    end = time.monotonic() + limit
    while not (found := condition()):
        if time.monotonic() > end:
            raise Fault(f"not within {limit} s: {what}")
        time.sleep(0.005)
    return found


def ports():
    """Numbers to try, each once."""
    start = random.randrange(len(PORTS))
    return itertools.chain(PORTS[start:], PORTS[:start])


def listeners(port):
    """The inodes of the sockets that listen on it."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = pathlib.Path(table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                found.add(words[9])
    return found


def sockets(pid):
    """The inodes of the sockets that a process has."""
    found = set()
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(entry.path)
            except FileNotFoundError:
                continue
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except FileNotFoundError:
        pass
    return found


class Program:
    """A process with its output in a file."""

    def __init__(self, command, log, folder, environment):
        self.log = log
        self.command = [str(word) for word in command]
        with open(log, "wb") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=out,
                                            stderr=subprocess.STDOUT, cwd=folder, env=environment)
        self.pid = self.process.pid
        self.names = set()
        self.see()

    def see(self):
        """Keeps the name that the kernel has for the process, which may change."""
        try:
            self.names.add(pathlib.Path(f"/proc/{self.pid}/comm").read_text().rstrip("\n"))
        except (FileNotFoundError, ProcessLookupError):
            pass

    def ended(self):
        self.see()
        return self.process.poll() is not None

    def text(self):
        return self.log.read_text(errors="replace")

    def says(self, words):
        return words in self.text()

    def hang_up(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def kill(self):
        if not self.ended():
            self.process.kill()
            self.process.wait()
        self.hang_up()


class Cell:
    """What a stack's function is given to run itself. `host` has what all cells share."""

    def __init__(self, host, stack, version, kind):
        self.host, self.stack, self.version = host, stack, version
        self.kind, _, self.starttls = kind.partition(" ")
        self.name = "-".join([stack, version, *kind.split()]).replace(".", "")
        self.sni = f"{self.name}.matrix.example"
        self.count = 2 if self.kind == "resumed" else 1
        self.fails = self.kind in ("alert", "rejected")
        self.server_version = version
        self.folder = host.folder / self.name
        self.folder.mkdir()
        self.port = None
        self.server = None
        self.clients = []

    def file(self, name):
        """One of the run's files, such as certificates."""
        return self.host.folder / name

    def alpn(self):
        """Where none is asked for, that has to be told too."""
        return "http/1.1" if self.kind in ("full", "resumed", "hrr", "pq") else None

    def start(self, command, log):
        return Program(command, self.folder / log, self.folder, self.host.environment)

    def serve(self, command):
        """command(port): of a server that listens there. A port that is somebody else's is passed
        over."""
        for _ in range(5):
            self.port = next(self.host.ports)
            if listeners(self.port):
                continue
            self.server = self.start(command(self.port), "server.log")

            def listening():
                return listeners(self.port) & sockets(self.server.pid) or self.server.ended()

            wait_for(listening, "server listens")
            if not self.server.ended():
                return
        raise Fault(f"server: {self.server.text()[-300:]}")

    def connect(self, command, say=b"", until=None, statuses=None):
        """A client that runs to its end. Its standard input stays open until until(client)."""
        client = self.start(command, f"client{len(self.clients)}.log")
        self.clients.append(client)
        if say:
            client.process.stdin.write(say)
            client.process.stdin.flush()
        if until:
            wait_for(lambda: client.ended() or until(client), "the client's part")
        client.hang_up()
        wait_for(client.ended, "client ends")
        status = client.process.returncode
        if statuses is None:
            statuses = [0]
        if not self.fails and status not in statuses:
            raise Fault(f"client: status {status}: {client.text()[-300:]}")

    def finish(self, signal=None, words=()):
        """The server ends by itself, or by a signal once it has said one of WORDS for each
        connection."""

        def said_all():
            text = self.server.text()
            return self.server.ended() or sum(text.count(word) for word in words) >= self.count

        if signal:
            wait_for(said_all, "the server's part")
            self.server.process.send_signal(signal)
        wait_for(self.server.ended, "server ends")
        self.server.hang_up()

    def clean(self):
        for program in [self.server, *self.clients]:
            if program:
                program.kill()
