// SPDX-License-Identifier: MIT
//
// end.js client|server KEY=VALUE...: an end of TLS connections in node. A line for each connection:
// see ../reports.py.
"use strict";
const fs = require("fs");
const net = require("net");
const tls = require("tls");

const [role, ...words] = process.argv.slice(2);
const given = Object.fromEntries(words.map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
}));
const options = {
    ca: fs.readFileSync(given.ca),
    minVersion: `TLSv${given.version}`,
    maxVersion: `TLSv${given.version}`,
    ALPNProtocols: given.alpn && [given.alpn],
    ciphers: given.ciphers,
    ecdhCurve: given.group || "auto",
};
if (given.cert) {
    options.cert = fs.readFileSync(`${given.cert}.crt`);
    options.key = fs.readFileSync(`${given.cert}.key`);
}

function report(socket, more)
{
    const cipher = socket.getCipher();
    console.log(["report", `version=${socket.getProtocol()}`,
        `cipher=${cipher.standardName || cipher.name}`,
        `alpn=${socket.alpnProtocol || "none"}`,
        `resumed=${socket.isSessionReused() ? "yes" : "no"}`, ...more].join(" "));
}

// It looks at the certificate when the handshake is over.
function failed(error)
{
    const of_tls = /^(ERR_SSL_|E[A-Z]+$)/.test(error.code);
    console.log(`report ${of_tls ? "failed" : "rejected"} ${error.code} ${error.message}`);
}

// SMTP (RFC 3207) up to where TLS begins.
function ask(plain, then)
{
    const say = ["EHLO localhost\r\n", "STARTTLS\r\n"];
    plain.on("data", function answer(bytes) {
        if (!/^[0-9]{3} .*\r\n$/m.test(bytes))
            return;
        if (say.length)
            return plain.write(say.shift());
        plain.removeListener("data", answer);
        then(plain);
    });
}

function client(left, session)
{
    if (!left)
        return;
    const more = { ...options, servername: given.sni, session };
    const begin = (plain) => {
        let last;
        const socket = tls.connect(plain ? { ...more, socket: plain } :
            { ...more, host: "127.0.0.1", port: given.port });
        socket.on("session", (made) => last = made);
        socket.on("error", (error) => { failed(error); client(left - 1); });
        socket.on("secureConnect", () => {
            const key = socket.getEphemeralKeyInfo();
            report(socket, [`sni=${given.sni}`, `group=${key && key.name || "-"}`]);
            if (plain)
                socket.write("QUIT\r\n");
        });
        // The server says a word: the tickets of TLS 1.3 come before it.
        socket.on("data", () => socket.end());
        socket.on("close", (had_error) => had_error || client(left - 1, last));
    };
    if (given.starttls)
        ask(net.connect(given.port, "127.0.0.1"), begin);
    else
        begin(null);
}

function server(left)
{
    const made = tls.createServer({ ...options, requestCert: "require" in given,
        rejectUnauthorized: "require" in given });
    const end = () => --left || made.close();
    made.on("tlsClientError", (error) => { failed(error); end(); });
    made.on("secureConnection", (socket) => {
        const shown = Object.keys(socket.getPeerCertificate()).length;
        // Of what is resumed in TLS 1.2 it does not know the name.
        const unnamed = socket.isSessionReused() ? "-" : "none";
        report(socket, [`sni=${socket.servername || unnamed}`,
            `client_cert=${shown ? "yes" : "no"}`]);
        socket.on("error", () => {});
        socket.on("close", end);
        socket.on("data", () => {});
        socket.end("hello\n");
    });
    made.listen(Number(given.port), "127.0.0.1");
}

if (role === "server")
    server(Number(given.count));
else
    client(Number(given.count));
