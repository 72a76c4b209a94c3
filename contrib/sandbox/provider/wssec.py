"""WS-Security 1.1 on a request: who signed what.

Checked here with lxml's exclusive C14N, hashlib and cryptography, independently of any XML security
library; where python3-xmlsec can follow (no PSS, small content) it must come to the same result.
"""
import base64
import binascii
import copy
import datetime
import hashlib
import hmac
import re
from dataclasses import dataclass

import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from .envelope import ID, WSSE, WSU

DS = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
MGF1 = "http://www.w3.org/2007/05/xmldsig-more#"
X509_TOKEN = ("http://docs.oasis-open.org/wss/2004/01/"
              "oasis-200401-wss-x509-token-profile-1.0#X509v3")
BASE64 = ("http://docs.oasis-open.org/wss/2004/01/"
          "oasis-200401-wss-soap-message-security-1.0#Base64Binary")
DIGESTS = {"http://www.w3.org/2001/04/xmlenc#sha256": hashlib.sha256,
           MORE + "sha384": hashlib.sha384,
           "http://www.w3.org/2001/04/xmlenc#sha512": hashlib.sha512}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
SIGNATURES = {**{f"{MORE}rsa-sha{n}": ("rsa", HASHES[n]) for n in HASHES},
              **{f"{MGF1}sha{n}-rsa-MGF1": ("pss", HASHES[n]) for n in HASHES},
              **{f"{MORE}ecdsa-sha{n}": ("ecdsa", HASHES[n]) for n in HASHES}}
LIFETIME = datetime.timedelta(seconds=300)
SKEW = datetime.timedelta(seconds=60)
SECOND_OPINION_LIMIT = 1 << 20


class SecurityError(Exception):
    """Says why a message cannot be tied to a signer."""


@dataclass(frozen=True)
class Signed:
    fingerprint: str  # SHA-256 of the signer's certificate, hex
    expires: datetime.datetime


def verify(request, now):
    """Who signed this envelope.Request, content inlined. Raises SecurityError."""
    security = request.security
    token = _only(security, WSSE, "BinarySecurityToken")
    timestamp = _only(security, WSU, "Timestamp")
    signature = _only(security, DS, "Signature")
    if len(request.root.findall(f".//{{{DS}}}Signature")) != 1:
        raise SecurityError("more than one Signature")
    _unique_ids(request.root)
    certificate = _certificate(token)
    _key_info(signature, token)
    signed_info = _only(signature, DS, "SignedInfo")
    # By position: what is covered is the very element that is read afterwards, wherever else in the
    # document an attacker may have put another one.
    wanted = {"Body": request.body, "Timestamp": timestamp, "To": request.to,
              "Action": request.action, "MessageID": request.message_id}
    _references(signed_info, wanted, optional=token)
    _signature_value(signature, signed_info, certificate, request)
    return Signed(certificate.fingerprint(hashes.SHA256()).hex(), _fresh(timestamp, now))


def _only(parent, namespace, name):
    found = parent.findall(f"{{{namespace}}}{name}")
    if len(found) != 1:
        raise SecurityError(f"{name}: {len(found)} of them")
    return found[0]


def _unique_ids(root):
    seen = set()
    for node in root.iter(etree.Element):
        for name, value in node.attrib.items():
            if etree.QName(name).localname.lower() in ("id", "assertionid"):
                if value in seen:
                    raise SecurityError(f"two elements of the Id {value}")
                seen.add(value)


def _certificate(token):
    if token.get("ValueType") != X509_TOKEN or token.get("EncodingType", BASE64) != BASE64:
        raise SecurityError("BinarySecurityToken is not an X509v3 certificate in base64")
    try:
        certificate = x509.load_der_x509_certificate(_base64(token))
    except ValueError as error:
        raise SecurityError("the certificate cannot be read") from error
    not_before, not_after = _validity(certificate)
    if not not_before <= datetime.datetime.now(datetime.timezone.utc) <= not_after:
        raise SecurityError("the certificate is not valid now")
    return certificate


def _validity(certificate):
    try:
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except AttributeError:  # cryptography before 42
        return tuple(moment.replace(tzinfo=datetime.timezone.utc) for moment in (
            certificate.not_valid_before, certificate.not_valid_after))


def _key_info(signature, token):
    info = _only(signature, DS, "KeyInfo")
    reference = _only(_only(info, WSSE, "SecurityTokenReference"), WSSE, "Reference")
    if len(info) != 1 or reference.get("URI") != "#" + token.get(ID, ""):
        raise SecurityError("KeyInfo does not refer to the BinarySecurityToken")


def _references(signed_info, wanted, optional):
    method = _only(signed_info, DS, "CanonicalizationMethod")
    if method.get("Algorithm") != EXC_C14N:
        raise SecurityError("SignedInfo is not in exclusive C14N")
    by_uri = {}
    for reference in signed_info.findall(f"{{{DS}}}Reference"):
        if reference.get("URI") in by_uri:
            raise SecurityError("two references of one URI")
        by_uri[reference.get("URI")] = reference
    for name, node in wanted.items():
        reference = by_uri.pop("#" + node.get(ID, ""), None)
        if node.get(ID) is None or reference is None:
            raise SecurityError(f"{name} is not signed")
        _digest(reference, node, name)
    reference = by_uri.pop("#" + (optional.get(ID) or ""), None)
    if reference is not None:
        _digest(reference, optional, "BinarySecurityToken")
    if by_uri:
        raise SecurityError("a reference to something else")


def _digest(reference, node, name):
    transforms = _only(reference, DS, "Transforms").findall(f"{{{DS}}}Transform")
    if len(transforms) != 1 or transforms[0].get("Algorithm") != EXC_C14N:
        raise SecurityError(f"{name}: the transform is not exclusive C14N alone")
    digest = DIGESTS.get(_only(reference, DS, "DigestMethod").get("Algorithm"))
    if digest is None:
        raise SecurityError(f"{name}: digest algorithm not allowed")
    computed = digest(canonical(node, _prefixes(transforms[0]))).digest()
    if not hmac.compare_digest(computed, _base64(_only(reference, DS, "DigestValue"))):
        raise SecurityError(f"{name} is not as it was signed")


def canonical(node, prefixes=()):
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False,
                          inclusive_ns_prefixes=list(prefixes))


def _prefixes(method):
    lists = method.findall(f"{{{EXC_C14N}}}InclusiveNamespaces")
    if len(method) != len(lists) or len(lists) > 1:
        raise SecurityError("a canonicalisation with other parameters than a prefix list")
    prefixes = lists[0].get("PrefixList", "").split() if lists else []
    if "#default" in prefixes:
        raise SecurityError("a prefix list with #default")
    return prefixes


def _signature_value(signature, signed_info, certificate, request):
    method = _only(signed_info, DS, "SignatureMethod")
    if method.get("Algorithm") not in SIGNATURES:
        raise SecurityError("signature algorithm not allowed")
    kind, hash_type = SIGNATURES[method.get("Algorithm")]
    prefixes = _prefixes(_only(signed_info, DS, "CanonicalizationMethod"))
    value = _base64(_only(signature, DS, "SignatureValue"))
    verify_octets(certificate.public_key(), kind, hash_type(), value,
                  canonical(signed_info, prefixes))
    if kind != "pss" and not _xmlsec_agrees(signature, certificate, request):
        raise SecurityError("xmlsec takes the signature for bad")


def verify_octets(key, kind, digest, value, octets):
    """Raises SecurityError unless value signs octets. An ECDSA value is r‖s (RFC 4050 3.3)."""
    try:
        if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            half = (key.curve.key_size + 7) // 8
            if len(value) != 2 * half or key.curve.key_size < 256:
                raise SecurityError("the ECDSA value is not r and s of the curve's size")
            der = encode_dss_signature(int.from_bytes(value[:half], "big"),
                                       int.from_bytes(value[half:], "big"))
            key.verify(der, octets, ec.ECDSA(digest))
        elif kind in ("rsa", "pss") and isinstance(key, rsa.RSAPublicKey):
            if key.key_size < 2048:
                raise SecurityError("an RSA key under 2048 bits")
            key.verify(value, octets, rsa_padding(kind, digest), digest)
        else:
            raise SecurityError("the signature algorithm does not fit the certificate's key")
    except InvalidSignature as error:
        raise SecurityError("the signature is bad") from error


def rsa_padding(kind, digest):
    # RFC 9231 2.3.10: the salt is as long as the digest.
    return (padding.PKCS1v15() if kind == "rsa"
            else padding.PSS(padding.MGF1(digest), digest.digest_size))


def _xmlsec_agrees(signature, certificate, request):
    content_size = max((len(node.text or "") for node in request.payload), default=0)
    if content_size > SECOND_OPINION_LIMIT:
        return True
    # On a copy: xmlsec marks Id attributes in the tree.
    root = copy.deepcopy(request.root)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(
        certificate.public_bytes(serialization.Encoding.PEM), xmlsec.KeyFormat.CERT_PEM)
    try:
        context.verify(root.find(f".//{{{DS}}}Signature"))
    except xmlsec.Error:
        return False
    return True


def _fresh(timestamp, now):
    created = _moment(_only(timestamp, WSU, "Created").text)
    expires = _moment(_only(timestamp, WSU, "Expires").text)
    if not datetime.timedelta(0) < expires - created <= LIFETIME:
        raise SecurityError("the Timestamp spans more than five minutes, or nothing")
    if created > now + SKEW:
        raise SecurityError("the Timestamp lies in the future")
    if expires < now - SKEW:
        raise SecurityError("the Timestamp is over")
    return expires


def _moment(text):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?Z", text or "", re.ASCII)
    try:
        return datetime.datetime.strptime(match[1] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    except (TypeError, ValueError) as error:
        raise SecurityError("a Timestamp that is not UTC in full seconds or a fraction") from error


def _base64(node):
    try:
        return base64.b64decode("".join((node.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecurityError(f"{etree.QName(node).localname} is not base64") from error
