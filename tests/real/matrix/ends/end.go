// SPDX-License-Identifier: MIT

// end client|server KEY=VALUE...: an end of TLS connections with Go's own TLS. A line for each
// connection: see ../reports.py.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"reflect"
	"strconv"
	"strings"
)

var given = map[string]string{}

func must(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func config() *tls.Config {
	versions := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	version := versions[given["version"]]
	pem, err := os.ReadFile(given["ca"])
	must(err)
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	made := &tls.Config{
		MinVersion: version, MaxVersion: version,
		RootCAs: authorities, ClientCAs: authorities,
		ServerName:         given["sni"],
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if name, ok := given["cert"]; ok {
		pair, err := tls.LoadX509KeyPair(name+".crt", name+".key")
		must(err)
		made.Certificates = []tls.Certificate{pair}
	}
	if name, ok := given["alpn"]; ok {
		made.NextProtos = []string{name}
	}
	for _, suite := range tls.CipherSuites() {
		if suite.Name == given["ciphers"] {
			made.CipherSuites = []uint16{suite.ID}
		}
	}
	if _, ok := given["require"]; ok {
		made.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if code, ok := given["group"]; ok {
		number, err := strconv.Atoi(code)
		must(err)
		made.CurvePreferences = []tls.CurveID{tls.CurveID(number)}
	}
	return made
}

// A member that later versions of Go have.
func member(state tls.ConnectionState, name string) (reflect.Value, bool) {
	value := reflect.ValueOf(state).FieldByName(name)
	return value, value.IsValid()
}

func answer(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func report(state tls.ConnectionState, sni string) {
	versions := map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}
	line := fmt.Sprintf("report version=%s cipher=%s sni=%s alpn=%s resumed=%s",
		versions[state.Version], tls.CipherSuiteName(state.CipherSuite), or(sni, "none"),
		or(state.NegotiatedProtocol, "none"), answer(state.DidResume))
	if value, ok := member(state, "CurveID"); ok && value.Uint() != 0 {
		line += fmt.Sprintf(" group_code=%d", value.Uint())
	}
	if value, ok := member(state, "HelloRetryRequest"); ok {
		line += " retry=" + answer(value.Bool())
	}
	if given["role"] == "server" {
		line += " client_cert=" + answer(len(state.PeerCertificates) > 0)
	}
	fmt.Println(line)
}

func mail(made *tls.Config) {
	client, err := smtp.Dial("127.0.0.1:" + given["port"])
	must(err)
	must(client.StartTLS(made))
	state, _ := client.TLSConnectionState()
	report(state, given["sni"])
	must(client.Quit())
}

func connect(made *tls.Config) {
	tcp, err := net.Dial("tcp", "127.0.0.1:"+given["port"])
	must(err)
	defer tcp.Close()
	connection := tls.Client(tcp, made)
	if err := connection.Handshake(); err != nil {
		fmt.Println("report failed", err)
		return
	}
	// The server says a word: the tickets of TLS 1.3 come before it.
	_, err = bufio.NewReader(connection).ReadString('\n')
	must(err)
	report(connection.ConnectionState(), given["sni"])
	connection.Close()
}

func serve(made *tls.Config, count int) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+given["port"])
	must(err)
	for ; count > 0; count-- {
		tcp, err := listener.Accept()
		must(err)
		connection := tls.Server(tcp, made)
		if err := connection.Handshake(); err != nil {
			fmt.Println("report failed", err)
		} else {
			report(connection.ConnectionState(), connection.ConnectionState().ServerName)
			fmt.Fprintln(connection, "hello")
			io.Copy(io.Discard, connection)
		}
		connection.Close()
	}
}

func main() {
	given["role"] = os.Args[1]
	for _, word := range os.Args[2:] {
		key, value, _ := strings.Cut(word, "=")
		given[key] = value
	}
	count, err := strconv.Atoi(given["count"])
	must(err)
	made := config()
	switch {
	case given["role"] == "server":
		serve(made, count)
	case given["starttls"] != "":
		mail(made)
	default:
		for ; count > 0; count-- {
			connect(made)
		}
	}
}
