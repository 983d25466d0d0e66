// SPDX-License-Identifier: MIT
//
// End client|server KEY=VALUE...: an end of TLS connections with the Java library. A line for each
// connection: see ../reports.py.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public final class End
{
    private static final Map<String, String> given = new HashMap<>();
    private static boolean isServer;
    private static String lastSession = "";

    private static Certificate certificate(String file) throws Exception
    {
        try (var in = Files.newInputStream(Path.of(file))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static SSLContext context() throws Exception
    {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null);
        trusted.setCertificateEntry("authority", certificate(given.get("ca")));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);

        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null);
        String name = given.get("cert");
        if (name != null) {
            Certificate shown = certificate(name + ".crt");
            String pem = Files.readString(Path.of(name + ".key"));
            byte[] der = Base64.getDecoder().decode(pem.replaceAll("-----[^-]*-----|\\s", ""));
            var factory = KeyFactory.getInstance(shown.getPublicKey().getAlgorithm());
            var key = factory.generatePrivate(new PKCS8EncodedKeySpec(der));
            own.setKeyEntry("own", key, new char[0], new Certificate[] { shown });
        }
        keys.init(own, new char[0]);

        SSLContext made = SSLContext.getInstance("TLS");
        made.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return made;
    }

    private static SSLParameters configure(SSLParameters parameters)
    {
        parameters.setProtocols(new String[] { "TLSv" + given.get("version") });
        if (given.containsKey("alpn"))
            parameters.setApplicationProtocols(new String[] { given.get("alpn") });
        if (given.containsKey("ciphers"))
            parameters.setCipherSuites(new String[] { given.get("ciphers") });
        if (given.containsKey("require"))
            parameters.setNeedClientAuth(true);
        if (!isServer) {
            parameters.setServerNames(List.of(new SNIHostName(given.get("sni"))));
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        return parameters;
    }

    private static void report(SSLSocket socket)
    {
        var session = (ExtendedSSLSession) socket.getSession();
        String alpn = socket.getApplicationProtocol();
        String line = "report version=" + session.getProtocol() +
            " cipher=" + session.getCipherSuite() +
            " alpn=" + (alpn == null || alpn.isEmpty() ? "none" : alpn);
        // In TLS 1.2 a session has one identifier for all its connections; in 1.3 nothing tells.
        if (session.getProtocol().equals("TLSv1.2")) {
            String id = HexFormat.of().formatHex(session.getId());
            if (!id.isEmpty())
                line += " resumed=" + (id.equals(lastSession) ? "yes" : "no");
            lastSession = id;
        }
        if (isServer) {
            String shown = "yes";
            try {
                session.getPeerCertificates();
            } catch (SSLPeerUnverifiedException e) {
                shown = "no";
            }
            String name = "none";
            for (SNIServerName asked : session.getRequestedServerNames())
                name = ((SNIHostName) asked).getAsciiName();
            line += " sni=" + name + " client_cert=" + shown;
        } else {
            line += " sni=" + given.get("sni");
        }
        System.out.println(line);
    }

    // SMTP (RFC 3207) up to where TLS begins.
    private static void ask(Socket plain) throws IOException
    {
        var reader = new BufferedReader(new InputStreamReader(plain.getInputStream()));
        OutputStream out = plain.getOutputStream();
        for (String say : new String[] { "EHLO localhost\r\n", "STARTTLS\r\n", "" }) {
            String line = reader.readLine();
            while (line != null && !line.matches("[0-9]{3} .*"))
                line = reader.readLine();
            out.write(say.getBytes());
        }
    }

    private static void connect(SSLContext context) throws IOException
    {
        int port = Integer.parseInt(given.get("port"));
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port);
        boolean asks = given.containsKey("starttls");
        if (asks)
            ask(plain);
        try (var socket = (SSLSocket) context.getSocketFactory().createSocket(
                 plain, given.get("sni"), port, true)) {
            socket.setSSLParameters(configure(socket.getSSLParameters()));
            try {
                socket.startHandshake();
            } catch (SSLException e) {
                System.out.println("report failed " + e.getMessage());
                return;
            }
            if (asks)
                socket.getOutputStream().write("QUIT\r\n".getBytes());
            // The server says a word: the tickets of TLS 1.3 come before it.
            new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
            report(socket);
        }
    }

    private static void answer(SSLSocket socket) throws IOException
    {
        try {
            socket.startHandshake();
        } catch (SSLException e) {
            System.out.println("report failed " + e.getMessage());
            return;
        }
        report(socket);
        socket.getOutputStream().write("hello\n".getBytes());
        while (socket.getInputStream().read() >= 0)
            continue;
    }

    public static void main(String[] arguments) throws Exception
    {
        isServer = arguments[0].equals("server");
        for (int i = 1; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            given.put(pair[0], pair[1]);
        }
        int count = Integer.parseInt(given.get("count"));
        SSLContext context = context();
        if (!isServer) {
            while (count-- > 0)
                connect(context);
            return;
        }
        try (var listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(
                 Integer.parseInt(given.get("port")), 10, InetAddress.getLoopbackAddress())) {
            listener.setSSLParameters(configure(listener.getSSLParameters()));
            while (count-- > 0) {
                try (var socket = (SSLSocket) listener.accept()) {
                    answer(socket);
                }
            }
        }
    }
}
