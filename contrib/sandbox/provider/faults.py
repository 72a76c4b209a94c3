"""DIR/faults.json: how the provider misbehaves. A list, read again with every request:

    [{"operation": "Submit", "fault": "drop-after", "times": 1}, …]

operation: a request's name, or "*". The first entry that fits is used; times: how often (absent or
null: always), counted anew when the file changes. TABLE below has every name; its other parameters
stand beside it. A new one is a line there.
"""
import copy
import datetime
import json
import os
import threading
import time
from dataclasses import dataclass, field

from lxml import etree

from .envelope import ID, PROVIDER, WSA, WSU, new_message_id
from .message_checks import Refused


@dataclass
class Answer:
    """An HTTP reply."""
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: dict = field(default_factory=dict)
    cut_at: int = None            # close the connection after so many bytes of the body
    bytes_per_second: int = None


@dataclass
class Plan:
    """How a reply will be signed."""
    signer: object
    other_signer: object
    created: datetime.datetime
    relates_to: str
    sign: bool = True
    omit: set = field(default_factory=set)


class Drop(Exception):
    """Close the connection without an answer."""


class Instead(Exception):
    """Give this Answer and do nothing else."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Switch:
    """What a fault does at each stage; parameters come as the entry of faults.json."""
    first: object = None     # (entry): before the request is looked at; may raise Drop or Instead
    instead: object = None   # (entry): in place of the operation, all checks passed; may raise Refused
    payload: object = None   # (payload, entry): what the reply will say, before it is signed
    plan: object = None      # (plan, entry): before signing
    envelope: object = None  # (reply, entry): after signing
    wire: object = None      # (answer, entry): the HTTP reply; may raise Drop or Instead


def _drop(*_):
    raise Drop


def _delay(*arguments):
    time.sleep(arguments[-1].get("seconds", 5))


def _http(status, body, content_type="text/plain; charset=utf-8", **headers):
    """A reply from something that is not the service: a proxy, a captive portal. With "process": true
    the request was processed before."""
    def first(entry):
        if not entry.get("process"):
            wire(None, entry)

    def wire(_, entry):
        raise Instead(Answer(entry.get("status", status), body, content_type,
                             {name: entry.get(name.lower(), value)
                              for name, value in headers.items()}))
    return Switch(first=first, wire=wire)


def _refuse(code):
    def instead(entry):
        raise Refused(code, entry.get("reason", f"{code}, as faults.json says"),
                      entry.get("retryAfterSeconds"))
    return Switch(instead=instead)


def _omit(name):
    return Switch(plan=lambda plan, _: plan.omit.add(name))


def _shift(seconds):
    def plan_(plan, entry):
        plan.created += datetime.timedelta(seconds=entry.get("seconds", seconds))
    return Switch(plan=plan_)


def _set(**values):
    def plan_(plan, _):
        for name, value in values.items():
            setattr(plan, name, value)
    return Switch(plan=plan_)


def _other_signer(plan, _):
    if plan.other_signer is None:
        raise ValueError("other-signer: provider.json has no other_signer")
    plan.signer = plan.other_signer


def _wrong_relates_to(plan, _):
    plan.relates_to = new_message_id()


def _other_private_id(payload, _):
    # Signed and correlated, and yet about somebody else's letter.
    node = payload.find(f"{{{PROVIDER}}}privateId")
    if node is not None:
        node.text = "g1-" + "0" * 40


def _bad_signature(reply, _):
    value = reply.security.find(".//{http://www.w3.org/2000/09/xmldsig#}SignatureValue")
    value.text = ("B" if value.text[0] == "A" else "A") + value.text[1:]


# XML signature wrapping (McIntosh and Austel 2005): the signed element is kept elsewhere in the
# document, where its reference still finds it, and another stands where the receiver reads.

def _forge(body):
    forged = copy.deepcopy(body)
    names = ("messageId", "reason", "holder", "version", "address", "id", "state", "next")
    for node in forged.iter(*(f"{{{PROVIDER}}}{name}" for name in names)):
        node.text = "accepted" if node.tag.endswith("}state") else "forged@provider.de-mail.de"
    return forged


def _wrapper(parent):
    return etree.SubElement(parent, "{urn:de-mail-gateway:wrapper}Wrapper")


def _wrap_body(reply, same_id):
    forged = _forge(reply.body)
    if not same_id:
        del forged.attrib[ID]
    reply.root.replace(reply.body, forged)
    _wrapper(reply.header).append(reply.body)


def _changed_body(reply, _):
    reply.root.replace(reply.body, _forge(reply.body))


def _second_body(reply, _):
    forged = _forge(reply.body)
    del forged.attrib[ID]
    reply.body.addprevious(forged)


def _wrap_timestamp(reply, _):
    fresh = etree.Element(f"{{{WSU}}}Timestamp")
    now = datetime.datetime.now(datetime.timezone.utc)
    for name, seconds in (("Created", 0), ("Expires", 300)):
        moment = now + datetime.timedelta(seconds=seconds)
        etree.SubElement(fresh, f"{{{WSU}}}{name}").text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    reply.security.replace(reply.timestamp, fresh)
    _wrapper(reply.header).append(reply.timestamp)


def _wrap_relates_to(reply, _):
    # The reply to another request, with ours put where the receiver looks.
    forged = etree.Element(f"{{{WSA}}}RelatesTo")
    forged.text = reply.asked
    reply.header.replace(reply.relates_to, forged)
    _wrapper(reply.header).append(reply.relates_to)


def _insert(before, text):
    """Puts text(entry) right before or after the first occurrence of a piece of the reply."""
    def wire(answer, entry):
        at = answer.body.find(before)
        if at < 0:
            raise ValueError(f"the reply has no {before!r}")
        answer.body = answer.body[:at] + text(entry) + answer.body[at:]
    return Switch(wire=wire)


def _doctype(_):
    return (b'<!DOCTYPE soap:Envelope [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
            b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>\n')


def _attributes(entry):
    return b" ".join(b'a%d=""' % n for n in range(entry.get("count", 100000))) + b" "


def _deep(entry):
    depth = entry.get("depth", 100000)
    return b"<d>" * depth + b"</d>" * depth


def _attributes_on_body(answer, entry):
    answer.body = answer.body.replace(b"<soap:Body ", b"<soap:Body " + _attributes(entry), 1)


def _truncate(answer, entry):
    answer.cut_at = entry.get("at", len(answer.body) // 2)


def _oversized(answer, entry):
    answer.body += b" " * (entry.get("bytes", 64 << 20) - len(answer.body))


def _wrong_content_type(answer, entry):
    answer.content_type = entry.get("contentType", "text/xml; charset=utf-8")


def _drip(answer, entry):
    answer.bytes_per_second = entry.get("bytesPerSecond", 1)


HTML = b"<!DOCTYPE html>\n<html><body><h1>Sign in to the guest network</h1></body></html>\n"
TABLE = {
    # the connection
    "drop-before": Switch(first=_drop),                     # nothing processed
    "drop-after": Switch(wire=_drop),                       # processed
    "delay": Switch(first=_delay),                          # seconds
    "delay-after": Switch(wire=_delay),                     # seconds
    "truncate": Switch(wire=_truncate),                     # at: byte of the reply's body
    "drip": Switch(wire=_drip),                             # bytesPerSecond
    # HTTP; process: true to process the request before
    "http-503": _http(503, b"Service Unavailable\n", **{"Retry-After": "1"}),
    "http-status": _http(429, b"Not now\n"),                # status
    "html": _http(200, HTML, "text/html; charset=utf-8"),
    "redirect": _http(307, b"", Location="https://127.0.0.1:1/demail"),   # location
    "empty": _http(200, b"", "application/soap+xml; charset=utf-8"),
    "wrong-content-type": Switch(wire=_wrong_content_type),  # contentType
    "oversized": Switch(wire=_oversized),                   # bytes: blanks after the envelope
    # the service's own faults; reason, retryAfterSeconds
    **{code: _refuse(code) for code in (
        "not-authorised", "option-not-permitted", "unknown-recipient", "recipient-level",
        "too-large", "malware", "daily-limit", "invalid-message", "private-id-in-use",
        "unavailable")},
    # the signature
    "unsigned": _set(sign=False),
    "bad-signature": Switch(envelope=_bad_signature),
    "changed-body": Switch(envelope=_changed_body),
    "other-signer": Switch(plan=_other_signer),
    "body-not-signed": _omit("Body"),
    "timestamp-not-signed": _omit("Timestamp"),
    "action-not-signed": _omit("Action"),
    "relatesto-not-signed": _omit("RelatesTo"),
    "wrong-relatesto": Switch(plan=_wrong_relates_to),
    "other-private-id": Switch(payload=_other_private_id),
    "stale": _shift(-3600),                                 # seconds
    "future": _shift(3600),                                 # seconds
    "wrapping-header": Switch(envelope=lambda reply, _: _wrap_body(reply, same_id=False)),
    "wrapping-same-id": Switch(envelope=lambda reply, _: _wrap_body(reply, same_id=True)),
    "wrapping-second-body": Switch(envelope=_second_body),
    "wrapping-timestamp": Switch(plan=_shift(-3600).plan, envelope=_wrap_timestamp),
    "wrapping-relatesto": Switch(plan=_wrong_relates_to, envelope=_wrap_relates_to),
    # the XML
    "doctype": _insert(b"<soap:Envelope", _doctype),
    "attributes": Switch(wire=_attributes_on_body),         # count
    "deep": _insert(b"</soap:Body>", _deep),                # depth
}


class Faults:
    def __init__(self, directory):
        self._path = directory / "faults.json"
        self._lock = threading.Lock()
        self._version = None
        self._used = {}

    def select(self, operation):
        """(entry, Switch) for this request; ({}, Switch()) for none."""
        with self._lock:
            try:
                with open(self._path, "rb") as file:
                    status = os.fstat(file.fileno())
                    entries = json.load(file)
            except FileNotFoundError:
                return {}, Switch()
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            if version != self._version:
                self._version, self._used = version, {}
            for index, entry in enumerate(entries):
                if entry.get("operation", "*") not in ("*", operation):
                    continue
                times = entry.get("times")
                if times is not None and self._used.get(index, 0) >= times:
                    continue
                self._used[index] = self._used.get(index, 0) + 1
                return entry, TABLE[entry["fault"]]
        return {}, Switch()
