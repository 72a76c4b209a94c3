"""WS-Security 1.1 on a reply: the provider's signature over Body, Timestamp, Action and RelatesTo."""
import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from .envelope import ID, WSSE, WSU
from .wssec import (BASE64, DS, EXC_C14N, LIFETIME, MGF1, MORE, SIGNATURES, X509_TOKEN, canonical,
                    rsa_padding)


class ReplySigner:
    """Certificate and key that sign replies; the algorithm follows the key."""

    def __init__(self, signer):
        self.certificate = x509.load_pem_x509_certificate(signer.certificate.read_bytes())
        self.key = serialization.load_pem_private_key(signer.key.read_bytes(), None)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            bits = {256: "256", 384: "384"}.get(self.key.curve.key_size, "512")
            self.kind, self.algorithm = "ecdsa", f"{MORE}ecdsa-sha{bits}"
        elif signer.pss:
            self.kind, self.algorithm = "pss", f"{MGF1}sha256-rsa-MGF1"
        else:
            self.kind, self.algorithm = "rsa", f"{MORE}rsa-sha256"

    def sign(self, octets):
        digest = SIGNATURES[self.algorithm][1]()
        if self.kind == "ecdsa":
            half = (self.key.curve.key_size + 7) // 8
            r, s = decode_dss_signature(self.key.sign(octets, ec.ECDSA(digest)))
            return r.to_bytes(half, "big") + s.to_bytes(half, "big")
        return self.key.sign(octets, rsa_padding(self.kind, digest), digest)


def sign(reply, signer, created, omit=()):
    """Fills the Security header of an envelope.Reply: token, Timestamp from created, Signature over
    Body, Timestamp, Action and RelatesTo, but for the names in omit (a fault of faults.json)."""
    security = reply.security
    token = etree.SubElement(security, f"{{{WSSE}}}BinarySecurityToken", {
        ID: "token", "ValueType": X509_TOKEN, "EncodingType": BASE64})
    token.text = base64.b64encode(
        signer.certificate.public_bytes(serialization.Encoding.DER)).decode("ascii")
    reply.timestamp = etree.SubElement(security, f"{{{WSU}}}Timestamp", {ID: "timestamp"})
    for name, moment in (("Created", created), ("Expires", created + LIFETIME)):
        child = etree.SubElement(reply.timestamp, f"{{{WSU}}}{name}")
        child.text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    parts = {"Body": reply.body, "Action": reply.action, "RelatesTo": reply.relates_to}
    for name, node in parts.items():
        node.set(ID, name.lower())
    parts["Timestamp"] = reply.timestamp
    signature = etree.SubElement(security, f"{{{DS}}}Signature", nsmap={"ds": DS})
    signed_info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
    _algorithm(signed_info, "CanonicalizationMethod", EXC_C14N)
    _algorithm(signed_info, "SignatureMethod", signer.algorithm)
    for name, node in parts.items():
        if name in omit:
            continue
        reference = etree.SubElement(signed_info, f"{{{DS}}}Reference", URI="#" + node.get(ID))
        _algorithm(etree.SubElement(reference, f"{{{DS}}}Transforms"), "Transform", EXC_C14N)
        _algorithm(reference, "DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256")
        etree.SubElement(reference, f"{{{DS}}}DigestValue").text = base64.b64encode(
            hashlib.sha256(canonical(node)).digest()).decode("ascii")
    value = etree.SubElement(signature, f"{{{DS}}}SignatureValue")
    value.text = base64.b64encode(signer.sign(canonical(signed_info))).decode("ascii")
    info = etree.SubElement(etree.SubElement(signature, f"{{{DS}}}KeyInfo"),
                            f"{{{WSSE}}}SecurityTokenReference")
    etree.SubElement(info, f"{{{WSSE}}}Reference", {"URI": "#token", "ValueType": X509_TOKEN})


def _algorithm(parent, name, uri):
    etree.SubElement(parent, f"{{{DS}}}{name}", Algorithm=uri)
