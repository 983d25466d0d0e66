# SPDX-License-Identifier: MIT
"""What is known of the connections of a cell: the client, the server and tshark tell it, in the
normal form of reports.py. What one tells no other may tell otherwise, and all together must show
that the cell was of its kind.
"""

import reports
import stacks

# The tool's names for what the normal form has.
FIELDS = {"version": "version", "cipher": "cipher", "group": "group",
          "signature": "signature_scheme", "sni": "server_name", "alpn": "alpn",
          "resumed": "resumed", "retry": "hello_retry", "outcome": "outcome", "alert": "alert",
          "client_cert": "client_certificate"}
HIDDEN = ["alpn", "signature", "alert", "client_cert"]
# What the tool calls the protocols where that is not what the cell calls it.
STARTTLS = {"": None, "lmtp": "smtp", "postgres": "postgresql", "connect": "http_connect",
            "proxy": "proxy_v1"}


def agreed(sources):
    """What those who know say together: {field: value}; and where they do not, as words."""
    truth, faults = {}, []
    for field in reports.FIELDS:
        told = {who: report[field] for who, report in sources.items() if field in report}
        # An end knows that it failed; the wire, that it was not told.
        if field == "outcome" and told.get("wire") == "reset":
            told = {who: "reset" if it == "failed" else it for who, it in told.items()}
        if len(set(told.values())) > 1:
            faults.append(f"{field}: " + ", ".join(f"{who} {it}" for who, it in told.items()))
        elif told:
            truth[field] = next(iter(told.values()))
    return truth, faults


def proof(cell, number, truth, stream):
    """What shows that a connection is what the cell is for: (is so, what it should be)."""
    kind = cell["kind"].split(" ")[0]
    first_is_plain = "starttls" if stream.is_plain_first else "tls"
    outcomes = stacks.outcomes(cell["stack"], cell["version"], kind)
    wanted = {"resumed": "yes" if kind == "resumed" and number == 1 else "no",
              "retry": "yes" if kind == "hrr" else "no",
              "sni": cell["sni"]}
    if kind == "alert":
        wanted.update(version="none", cipher="none", group="none")
    else:
        wanted["version"] = f"TLSv{cell['version']}"
    if kind == "clientcert":
        wanted["client_cert"] = "yes"
    if kind in ("pq", "hrr") and cell["stack"] == "openssl-3.5":
        wanted["group"] = "X25519MLKEM768"
    if kind == "classic":
        wanted["group"] = "x25519"
    faults = [f"{field} is {truth.get(field)}, to be {value}" for field, value in wanted.items()
              if truth.get(field) != value]
    if truth.get("outcome") not in outcomes:
        faults.append(f"outcome is {truth.get('outcome')}, to be {' or '.join(outcomes)}")
    if first_is_plain != ("starttls" if kind == "starttls" else "tls"):
        faults.append(f"begins with {first_is_plain}")
    sender = {"alert": "server", "rejected": "client"}.get(kind)
    if truth.get("outcome") != "failed":
        sender = None
    if stream.alert_from != sender:
        faults.append(f"alert of {stream.alert_from}")
    return faults


def truths(cell, streams):
    """For each connection: (port of the client, truth, stream), and what is wrong with the cell."""
    found, faults = [], []
    if len(streams) != cell["count"]:
        return [], [f"{len(streams)} connections, to be {cell['count']}"]
    for who in ("client_reports", "server_reports"):
        if len(cell[who]) not in (0, cell["count"]):
            return [], [f"{len(cell[who])} {who}, to be {cell['count']}"]
    for number, (port, stream) in enumerate(streams):
        sources = {"wire": stream.end()}
        for who in ("client", "server"):
            told = cell[f"{who}_reports"]
            if told:
                sources[who] = told[number]
        # The client was given it.
        sources.setdefault("client", {}).setdefault("sni", cell["sni"])
        truth, differ = agreed(sources)
        faults += differ
        if not cell["client_reports"] and not cell["server_reports"]:
            faults.append("no end says anything")
        faults += proof(cell, number, truth, stream)
        found.append((port, truth, stream))
    return found, faults
