"""SOAP 1.2 envelopes with WS-Addressing 1.0: reading what is hostile, building what is ours."""
import base64
import re
import secrets

from lxml import etree

from . import mtom

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PROVIDER = "urn:de-mail-gateway:provider:1"
XML = "http://www.w3.org/XML/1998/namespace"
ID = f"{{{WSU}}}Id"
MAX_XML = 4 << 20
MAX_LIKELY_ATTRIBUTES = 2000
MAX_ATTRIBUTES = 32
MAX_DEPTH = 32


class EnvelopeError(Exception):
    """Says what is wrong with the envelope."""


class Request:
    """An envelope that was read. Its parts were taken by position, once; nothing is looked up by
    Id afterwards, so that what was checked is what is used."""

    def __init__(self, root):
        self.root = root
        if root.tag != f"{{{SOAP}}}Envelope":
            raise EnvelopeError("not a SOAP 1.2 envelope")
        children = list(root)
        if [child.tag for child in children] != [f"{{{SOAP}}}Header", f"{{{SOAP}}}Body"]:
            raise EnvelopeError("an envelope holds exactly one Header and one Body")
        self.header, self.body = children
        if len(self.body) != 1:
            raise EnvelopeError("the Body holds not exactly one element")
        self.payload = self.body[0]
        self.to = self._one(f"{{{WSA}}}To")
        self.action = self._one(f"{{{WSA}}}Action")
        self.message_id = self._one(f"{{{WSA}}}MessageID")
        self.security = self._one(f"{{{WSSE}}}Security")
        self._check_other_blocks()
        if not re.fullmatch(r"urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
                            self.message_id.text or ""):
            raise EnvelopeError("MessageID is not urn:uuid:…")

    def _one(self, tag):
        found = [block for block in self.header if block.tag == tag]
        if len(found) != 1:
            raise EnvelopeError(f"{etree.QName(tag).localname}: {len(found)} of them")
        if tag != f"{{{WSSE}}}Security" and len(found[0]):
            raise EnvelopeError(f"{etree.QName(tag).localname} holds elements")
        return found[0]

    def _check_other_blocks(self):
        for block in self.header:
            if block in (self.to, self.action, self.message_id, self.security):
                continue
            if block.get(f"{{{SOAP}}}mustUnderstand") in ("1", "true"):
                raise EnvelopeError(f"{block.tag} is not understood")
            if block.tag == f"{{{WSA}}}ReplyTo" and [
                    (child.tag, child.text) for child in block] != [
                        (f"{{{WSA}}}Address", WSA + "/anonymous")]:
                raise EnvelopeError("ReplyTo is not anonymous")

    @property
    def operation(self):
        name = etree.QName(self.payload)
        return name.localname if name.namespace == PROVIDER else None


def parse(xml):
    """The root of a document from outside: no DOCTYPE, no entities, no network, no depth."""
    if len(xml) > MAX_XML:
        raise EnvelopeError("the XML is too long")
    if b"<!DOCTYPE" in xml or b"\0" in xml:
        raise EnvelopeError("a DOCTYPE, or not UTF-8")
    # libxml2 takes quadratic time over attributes: refuse before it sees them. An upper bound, since
    # text that looks like attributes counts too; the exact one follows.
    if any(len(re.findall(rb"=\s*[\"']", tag)) > MAX_LIKELY_ATTRIBUTES for tag in xml.split(b"<")):
        raise EnvelopeError("an element has too many attributes")
    # encoding: whatever the XML declaration says, the bytes checked above are the ones that are read.
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
                             dtd_validation=False, huge_tree=False, remove_comments=False,
                             remove_pis=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise EnvelopeError(f"not well-formed: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise EnvelopeError("a DOCTYPE")
    for event, node in etree.iterwalk(root, events=("start", "comment", "pi")):
        if event != "start":
            raise EnvelopeError("comments and processing instructions have no place here")
        if len(node.attrib) > MAX_ATTRIBUTES:
            raise EnvelopeError("an element has too many attributes")
        if sum(1 for _ in node.iterancestors()) > MAX_DEPTH:
            raise EnvelopeError("elements too deep")
    return root


def inline(root, parts):
    """Puts base64 text in place of every xop:Include, which makes the infoset that is signed. Only
    content may hold one."""
    used = set()
    for include in list(root.iter(f"{{{mtom.XOP}}}Include")):
        parent = include.getparent()
        if parent.tag != f"{{{PROVIDER}}}content" or len(parent) != 1 or (parent.text or "") + (
                include.tail or ""):
            raise EnvelopeError("xop:Include where no content is")
        content = mtom.resolve(include, parts, used)
        parent.remove(include)
        parent.text = base64.b64encode(content).decode("ascii")
    if used != set(parts):
        raise EnvelopeError("a part that nothing refers to")


class Reply:
    """A reply or fault to be: the payload, and the header blocks it will get."""

    def __init__(self, payload, relates_to, fault=False):
        name = "ProviderFault" if fault else etree.QName(payload).localname
        self.root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={
            "soap": SOAP, "wsa": WSA, "wsse": WSSE, "wsu": WSU})
        header = etree.SubElement(self.root, f"{{{SOAP}}}Header")
        self.action = etree.SubElement(header, f"{{{WSA}}}Action")
        self.action.text = f"{PROVIDER}/{name}"
        self.message_id = etree.SubElement(header, f"{{{WSA}}}MessageID")
        self.message_id.text = new_message_id()
        self.relates_to = etree.SubElement(header, f"{{{WSA}}}RelatesTo")
        self.relates_to.text = relates_to
        self.security = etree.SubElement(header, f"{{{WSSE}}}Security")
        self.security.set(f"{{{SOAP}}}mustUnderstand", "true")
        self.body = etree.SubElement(self.root, f"{{{SOAP}}}Body")
        self.body.append(payload)
        self.header = header
        self.timestamp = None  # set by wssec.sign


def new_message_id():
    digits = secrets.token_hex(16)
    return (f"urn:uuid:{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-"
            f"a{digits[17:20]}-{digits[20:]}")


def element(name, *children):
    """An element of the service's namespace; children are elements or (name, text) pairs. A text of
    None leaves the child out."""
    node = etree.Element(f"{{{PROVIDER}}}{name}", nsmap={None: PROVIDER})
    for child in children:
        if isinstance(child, tuple):
            if child[1] is not None:
                etree.SubElement(node, f"{{{PROVIDER}}}{child[0]}").text = str(child[1])
        else:
            node.append(child)
    return node


def fault_payload(code, reason, retry_after=None):
    """A soap:Fault whose Detail holds one ProviderFault. unavailable alone is the receiver's."""
    receiver = code == "unavailable"
    fault = etree.Element(f"{{{SOAP}}}Fault", nsmap={"soap": SOAP})
    value = etree.SubElement(etree.SubElement(fault, f"{{{SOAP}}}Code"), f"{{{SOAP}}}Value")
    value.text = "soap:Receiver" if receiver else "soap:Sender"
    text = etree.SubElement(etree.SubElement(fault, f"{{{SOAP}}}Reason"), f"{{{SOAP}}}Text")
    text.set(f"{{{XML}}}lang", "en")
    text.text = reason
    etree.SubElement(fault, f"{{{SOAP}}}Detail").append(element(
        "ProviderFault", ("code", code), ("reason", reason[:1000]),
        ("retryAfterSeconds", retry_after)))
    return fault, 500 if receiver else 400
