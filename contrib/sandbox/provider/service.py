"""From an HTTP request to an HTTP reply: read, check who signed, check the schema, act, sign."""
import base64
import threading
from dataclasses import dataclass

from lxml import etree

from . import mtom, wssec
from .envelope import (PROVIDER, SOAP, EnvelopeError, Reply, Request, fault_payload, inline,
                       parse)
from .faults import Answer, Drop, Faults, Instead, Plan
from .message_checks import Refused, invalid
from .operations import Operations, text
from .signing import ReplySigner, sign
from .store import Store, utc


@dataclass(frozen=True)
class Call:
    """An HTTP request: who sent it and what."""
    peer: str  # SHA-256 of the TLS client certificate, hex
    content_type: str
    body: bytes


class Denied(Exception):
    """Cannot be tied to an account: 403, unsigned."""


class Service:
    def __init__(self, config):
        self.config = config
        self.store = Store(config.directory)
        self.operations = Operations(config, self.store)
        self.faults = Faults(config.directory)
        self.signer = ReplySigner(config.signer)
        self.other_signer = ReplySigner(config.other_signer) if config.other_signer else None
        self._schema = etree.XMLSchema(etree.parse(str(config.schema)))
        self._schema_lock = threading.Lock()  # its error log is shared

    def answer(self, call, record):
        """The Answer; raises Drop. record: the line of requests.jsonl, filled in here."""
        record.update(operation=None, privateId=None, outcome=None)
        try:
            request, parts = _read(call)
        except (mtom.MtomError, EnvelopeError) as error:
            record["outcome"] = f"unreadable: {error}"
            return Answer(400, f"{error}\n".encode())
        record.update(operation=request.operation, privateId=text(request.payload, "privateId"))
        entry, switch = self.faults.select(request.operation)
        if entry:
            record["switch"] = entry["fault"]
        try:
            if switch.first:
                switch.first(entry)
            answer = self._signed_answer(call, request, parts, record, entry, switch)
            if switch.wire:
                switch.wire(answer, entry)
            return answer
        except Denied as error:
            record["outcome"] = f"denied: {error}"
            return Answer(403, f"{error}\n".encode())
        except Instead as instead:
            return instead.answer
        except Drop:
            raise
        except Exception as error:
            record["outcome"] = f"{type(error).__name__}: {error}"
            raise

    def _signed_answer(self, call, request, parts, record, entry, switch):
        status, fault = 200, False
        try:
            account = self._authenticate(call, request, parts)
            record["account"] = account.name
            self._validate(request.payload)
            if switch.instead:
                try:
                    switch.instead(entry)
                except Refused as refusal:
                    if request.operation == "Submit":
                        self.operations.remember(account, record["privateId"], refusal)
                    raise
            payload = self.operations(account, request.payload, request.operation)
            record["outcome"] = etree.QName(payload).localname
            if switch.payload:
                switch.payload(payload, entry)
        except Refused as refusal:
            payload, status = fault_payload(refusal.code, refusal.reason, refusal.retry_after)
            record["outcome"], record["reason"], fault = refusal.code, refusal.reason, True
        plan = Plan(self.signer, self.other_signer, utc(), request.message_id.text)
        if switch.plan:
            switch.plan(plan, entry)
        reply = Reply(payload, plan.relates_to, fault)
        reply.asked = request.message_id.text
        if plan.sign:
            sign(reply, plan.signer, plan.created, plan.omit)
        else:
            reply.header.remove(reply.security)
        if switch.envelope:
            switch.envelope(reply, entry)
        return _serialise(reply, status)

    def _authenticate(self, call, request, parts):
        try:
            inline(request.root, parts)
            signed = wssec.verify(request, utc())
        except (wssec.SecurityError, EnvelopeError, mtom.MtomError) as error:
            raise Denied(str(error)) from error
        if request.to.text != self.config.endpoint:
            raise Denied("To is not this endpoint")
        if (request.operation not in self.operations.table
                or request.action.text != f"{PROVIDER}/{request.operation}"):
            raise Denied("no such operation, or Action says another")
        # A repetition is never answered with a signed fault: the first one's outcome stands.
        if not self.store.first_use(request.message_id.text, signed.expires):
            raise Denied("this MessageID was used before")
        account = self.config.account_of(call.peer)
        if account is None:
            raise Refused("not-authorised", "the TLS certificate belongs to no account")
        if signed.fingerprint not in account.certificates:
            raise Refused("not-authorised", "the signer's certificate is not the account's")
        return account

    def _validate(self, payload):
        with self._schema_lock:
            if not self._schema.validate(payload):
                raise invalid(f"schema: {self._schema.error_log[0].message}"[:1000])


def _read(call):
    """(envelope.Request, {content-id: bytes}), or MtomError, EnvelopeError."""
    media, parameters = mtom.parse_content_type(call.content_type)
    if media == "multipart/related":
        xml, parts = mtom.split(parameters, call.body)
    elif media == "application/soap+xml":
        if parameters.get("charset", "utf-8").lower() != "utf-8":
            raise EnvelopeError("not UTF-8")
        xml, parts = call.body, {}
    else:
        raise EnvelopeError(f"Content-Type {media}")
    return Request(parse(xml)), parts


def _serialise(reply, status):
    action = reply.action.text
    content = reply.root.find(f"{{{SOAP}}}Body/{{{PROVIDER}}}Message/{{{PROVIDER}}}content")
    if content is None:
        return Answer(status, etree.tostring(reply.root, xml_declaration=True, encoding="UTF-8"),
                      f'application/soap+xml; charset=utf-8; action="{action}"')
    octets = base64.b64decode(content.text)
    content.text = None
    etree.SubElement(content, f"{{{mtom.XOP}}}Include", href="cid:content@provider",
                     nsmap={"xop": mtom.XOP})
    content_type, body = mtom.join(
        etree.tostring(reply.root, xml_declaration=True, encoding="UTF-8"),
        "content@provider", octets)
    return Answer(status, body, content_type)
