"""A client of the reference service with software keys, for tests of the simulated provider: it
signs, sends and checks replies, and can be told to do each of these wrongly.
"""
import base64
import datetime
import hashlib
import http.client
import ssl
import urllib.parse
import uuid
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from lxml import etree

P = "urn:de-mail-gateway:provider:1"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = OASIS + "wssecurity-secext-1.0.xsd"
WSU = OASIS + "wssecurity-utility-1.0.xsd"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
XOP = "http://www.w3.org/2004/08/xop/include"
X509V3 = OASIS + "x509-token-profile-1.0#X509v3"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ALGORITHMS = {"rsa": MORE + "rsa-sha256", "p256": MORE + "ecdsa-sha256",
              "p384": MORE + "ecdsa-sha384", "p521": MORE + "ecdsa-sha512",
              "pss": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"}
HASH = {"rsa": hashes.SHA256, "p256": hashes.SHA256, "p384": hashes.SHA384,
        "p521": hashes.SHA512, "pss": hashes.SHA256}


def c14n(node, prefixes=()):
    if prefixes:
        # lxml drops prefixes that its parser has not read, and this tree was not parsed.
        tree = node.getroottree()
        parsed = etree.fromstring(etree.tostring(tree)).getroottree()
        node = parsed.find(tree.getelementpath(node))
    return etree.tostring(node, method="c14n", exclusive=True,
                          inclusive_ns_prefixes=list(prefixes))


def b64(octets):
    return base64.b64encode(octets).decode("ascii")


@dataclass
class Wish:
    """How a request differs from a faultless one."""
    message_id: str = None
    to: str = None
    action: str = None
    age: float = 0                 # seconds
    lifetime: float = 300
    omit: tuple = ()               # of Body, Timestamp, To, Action, MessageID
    signer: object = None          # pki.Identity: another one signs
    algorithm: str = None          # key of ALGORITHMS
    prefixes: tuple = ()           # InclusiveNamespaces
    before_signing: object = None  # (envelope)
    after_signing: object = None   # (envelope)
    wire: object = None            # (content type, body) -> (content type, body)
    mtom: bool = True


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes
    complaint: str = None          # why this is no signed, correlated reply; None: it is one
    payload: object = None         # the Body's element, of a good reply
    tls: tuple = field(default=())

    def text(self, name):
        node = self.payload.find(f".//{{{P}}}{name}")
        return None if node is None else node.text

    @property
    def name(self):
        return etree.QName(self.payload).localname

    @property
    def code(self):
        return self.text("code") if self.name == "Fault" else None


class Client:
    def __init__(self, endpoint, ca, identity, key_type, reply_signer):
        self.endpoint, self.identity, self.key_type = endpoint, identity, key_type
        self.reply_signer = reply_signer
        self.url = urllib.parse.urlsplit(endpoint)
        self.tls = ssl.create_default_context(cafile=ca)
        if identity:
            self.tls.load_cert_chain(identity.certificate, identity.key)

    def connect(self):
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.tls,
                                           timeout=60)

    def call(self, payload, content=None, wish=None, connection=None):
        """A Reply; raises OSError or http.client.HTTPException where none came."""
        wish = wish or Wish()
        message_id = wish.message_id or uuid.uuid4().urn
        content_type, body = self.request(payload, content, wish, message_id)
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request("POST", self.url.path, body, {"Content-Type": content_type})
            response = connection.getresponse()
            answer = Reply(response.status, dict(response.headers), response.read())
        finally:
            if own:
                connection.close()
        self._judge(answer, message_id)
        return answer

    def request(self, payload, content, wish, message_id):
        """(Content-Type, body), signed."""
        envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "a": WSA, "u": WSU})
        header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
        action = f"{P}/{etree.QName(payload).localname}"
        parts = {}
        for name, value in (("To", wish.to or self.endpoint), ("Action", wish.action or action),
                            ("MessageID", message_id)):
            parts[name] = etree.SubElement(header, f"{{{WSA}}}{name}")
            parts[name].text = value
        security = etree.SubElement(header, f"{{{WSSE}}}Security", nsmap={"o": WSSE})
        parts["Body"] = etree.SubElement(envelope, f"{{{SOAP}}}Body")
        parts["Body"].append(payload)
        slot = payload.find(f"{{{P}}}content")
        if content is not None:
            slot.text = b64(content)
        self._sign(security, parts, wish)
        if wish.after_signing:
            wish.after_signing(envelope)
        if content is None or not wish.mtom:
            result = "application/soap+xml; charset=utf-8", etree.tostring(envelope)
        else:
            slot.text = None
            etree.SubElement(slot, f"{{{XOP}}}Include", href="cid:c%40test")
            result = multipart(etree.tostring(envelope), content)
        return wish.wire(*result) if wish.wire else result

    def _sign(self, security, parts, wish):
        identity = wish.signer or self.identity
        kind = wish.algorithm or self.key_type
        certificate = x509.load_pem_x509_certificate(identity.certificate.read_bytes())
        token = etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken",
                                 {f"{{{WSU}}}Id": "t", "ValueType": X509V3})
        token.text = b64(certificate.public_bytes(serialization.Encoding.DER))
        timestamp = parts["Timestamp"] = etree.SubElement(security, f"{{{WSU}}}Timestamp")
        created = (datetime.datetime.now(datetime.timezone.utc)
                   - datetime.timedelta(seconds=wish.age))
        for name, seconds in (("Created", 0), ("Expires", wish.lifetime)):
            moment = created + datetime.timedelta(seconds=seconds)
            etree.SubElement(timestamp, f"{{{WSU}}}{name}").text = (
                moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        for name, node in parts.items():
            node.set(f"{{{WSU}}}Id", "id-" + name)
        if wish.before_signing:
            wish.before_signing(security.getroottree().getroot())
        signature = etree.SubElement(security, f"{{{DS}}}Signature", nsmap={None: DS})
        info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
        etree.SubElement(info, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXC)
        etree.SubElement(info, f"{{{DS}}}SignatureMethod", Algorithm=ALGORITHMS[kind])
        for name, node in parts.items():
            if name in wish.omit:
                continue
            reference = etree.SubElement(info, f"{{{DS}}}Reference", URI="#id-" + name)
            transform = etree.SubElement(
                etree.SubElement(reference, f"{{{DS}}}Transforms"), f"{{{DS}}}Transform",
                Algorithm=EXC)
            if wish.prefixes:
                etree.SubElement(transform, f"{{{EXC}}}InclusiveNamespaces",
                                 PrefixList=" ".join(wish.prefixes))
            etree.SubElement(reference, f"{{{DS}}}DigestMethod", Algorithm=SHA256)
            etree.SubElement(reference, f"{{{DS}}}DigestValue").text = b64(
                hashlib.sha256(c14n(node, wish.prefixes)).digest())
        key = serialization.load_pem_private_key(identity.key.read_bytes(), None)
        etree.SubElement(signature, f"{{{DS}}}SignatureValue").text = b64(
            sign_octets(key, kind, c14n(info)))
        reference = etree.SubElement(
            etree.SubElement(etree.SubElement(signature, f"{{{DS}}}KeyInfo"),
                             f"{{{WSSE}}}SecurityTokenReference"), f"{{{WSSE}}}Reference")
        reference.set("URI", "#t")

    def _judge(self, answer, message_id):
        try:
            answer.payload = check_reply(answer, message_id, self.reply_signer)
        except (Complaint, etree.XMLSyntaxError) as complaint:
            answer.complaint = str(complaint)


def sign_octets(key, kind, octets):
    digest = HASH[kind]()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        half = (key.curve.key_size + 7) // 8
        return b"".join(number.to_bytes(half, "big") for number in utils.decode_dss_signature(
            key.sign(octets, ec.ECDSA(digest))))
    return key.sign(octets, padding.PSS(padding.MGF1(digest), digest.digest_size)
                    if kind == "pss" else padding.PKCS1v15(), digest)


def multipart(xml, content, cid="c@test", boundary="=_b"):
    root = ('Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n'
            "Content-Transfer-Encoding: binary\r\nContent-ID: <r@test>\r\n\r\n").encode()
    part = (f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{cid}>\r\n\r\n").encode()
    line = f"\r\n--{boundary}".encode()
    return (f'multipart/related; type="application/xop+xml"; start="<r@test>"; '
            f'start-info="application/soap+xml"; boundary="{boundary}"',
            b"".join((line[2:], b"\r\n", root, xml, line, b"\r\n", part, content, line, b"--\r\n")))


class Complaint(Exception):
    """Why something is no signed, correlated reply."""


def check_reply(answer, message_id, signer):
    """The payload of a signed, correlated reply, or Complaint."""
    media = answer.headers.get("Content-Type", "")
    xml, parts = answer.body, None
    if media.startswith("multipart/related"):
        boundary = b"--" + media.partition('boundary="')[2].partition('"')[0].encode()
        _, first, second, _ = answer.body.split(boundary)
        xml = first.partition(b"\r\n\r\n")[2][:-2]
        parts = second.partition(b"\r\n\r\n")[2][:-2]
    elif not media.startswith("application/soap+xml"):
        raise Complaint(f"content type {media}")
    if b"<!DOCTYPE" in xml:
        raise Complaint("doctype")
    if any(tag.count(b"=") > 100 for tag in xml.split(b"<")):
        raise Complaint("attributes")
    root = etree.fromstring(xml)
    bodies = root.findall(f"{{{SOAP}}}Body")
    security = root.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security")
    if len(bodies) != 1:
        raise Complaint("bodies")
    if security is None:
        raise Complaint("unsigned")
    if parts is not None:
        include = root.find(f".//{{{XOP}}}Include")
        include.getparent().text = b64(parts)
        include.getparent().remove(include)
    header = root.find(f"{{{SOAP}}}Header")
    wanted = {"Body": bodies[0], "Timestamp": security.find(f"{{{WSU}}}Timestamp"),
              "Action": header.find(f"{{{WSA}}}Action"),
              "RelatesTo": header.find(f"{{{WSA}}}RelatesTo")}
    _check_signature(security, wanted, signer)
    if wanted["RelatesTo"].text != message_id:
        raise Complaint("relates to another request")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    created, expires = (wanted["Timestamp"].find(f"{{{WSU}}}{name}").text
                        for name in ("Created", "Expires"))
    if not created <= now <= expires:
        raise Complaint("not fresh")
    payload = bodies[0][0]
    name = "ProviderFault" if payload.tag == f"{{{SOAP}}}Fault" else etree.QName(payload).localname
    if wanted["Action"].text != f"{P}/{name}":
        raise Complaint("action")
    return payload


def _check_signature(security, wanted, signer):
    certificate = x509.load_der_x509_certificate(
        base64.b64decode(security.find(f"{{{WSSE}}}BinarySecurityToken").text))
    if certificate.fingerprint(hashes.SHA256()).hex() != signer:
        raise Complaint("signer")
    info = security.find(f"{{{DS}}}Signature/{{{DS}}}SignedInfo")
    digests = {reference.get("URI"): reference.find(f"{{{DS}}}DigestValue").text
               for reference in info.findall(f"{{{DS}}}Reference")}
    value = base64.b64decode(security.find(f"{{{DS}}}Signature/{{{DS}}}SignatureValue").text)
    method = info.find(f"{{{DS}}}SignatureMethod").get("Algorithm")
    kind = next(name for name, uri in ALGORITHMS.items() if uri == method)
    if not _good(certificate.public_key(), kind, value, c14n(info)):
        raise Complaint("signature value")
    for name, node in wanted.items():
        found = digests.get("#" + (node.get(f"{{{WSU}}}Id") or ""))
        if found is None:
            raise Complaint(f"{name} not signed")
        if found != b64(hashlib.sha256(c14n(node)).digest()):
            raise Complaint(f"{name} changed")


def _good(key, kind, value, octets):
    digest = HASH[kind]()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            half = len(value) // 2
            key.verify(utils.encode_dss_signature(int.from_bytes(value[:half], "big"),
                                                  int.from_bytes(value[half:], "big")),
                       octets, ec.ECDSA(digest))
        else:
            key.verify(value, octets, padding.PSS(padding.MGF1(digest), digest.digest_size)
                       if kind == "pss" else padding.PKCS1v15(), digest)
    except Exception:  # noqa: BLE001 - cryptography's InvalidSignature, or a value of no form
        return False
    return True


def element(name, *children):
    """An element of the service: children are (name, text) or (name, text, {attribute: value})."""
    node = etree.Element(f"{{{P}}}{name}", nsmap={"p": P})
    for child in children:
        etree.SubElement(node, f"{{{P}}}{child[0]}", *child[2:]).text = child[1]
    return node
