"""Certificates of the sandbox: a CA of its own, the provider's TLS server and reply signer, and
client certificates for public keys whose private half lies in a token. Nothing here is for use
outside a sandbox: keys lie unencrypted beside their certificates, mode 0600.
"""
import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# szOID_KP_SMARTCARD_LOGON: what the certificates on De-Mail's cards carry beside clientAuth.
SMARTCARD_LOGON = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.2")
LIFETIME = datetime.timedelta(days=365)
ONE_HOUR = datetime.timedelta(hours=1)  # certificates are that old: clocks of virtual machines drift


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: object
    file: Path  # PEM of the certificate


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, as PEM files."""
    certificate: Path
    key: Path
    sha256: str  # of the DER, 64 hex digits


def make_ca(directory, name="De-Mail sandbox CA"):
    """Writes DIRECTORY/ca.pem and ca.key."""
    directory = Path(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    certificate = (_builder(subject, subject, key.public_key())
                   .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                   .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
                   .sign(key, hashes.SHA256()))
    _write(directory / "ca.key", _key_pem(key), 0o600)
    _write(directory / "ca.pem", _pem(certificate), 0o644)
    return Authority(certificate, key, directory / "ca.pem")


def load_ca(directory):
    """What make_ca wrote."""
    directory = Path(directory)
    return Authority(x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes()),
                     serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None),
                     directory / "ca.pem")


def make_server(directory, ca, name="server", key_type="p256"):
    """A TLS server certificate for localhost, 127.0.0.1 and ::1: DIRECTORY/NAME.pem, NAME.key."""
    key = make_key(key_type)
    names = x509.SubjectAlternativeName([
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1"))])
    certificate = _issue(ca, "localhost", key.public_key(), [ExtendedKeyUsageOID.SERVER_AUTH],
                         (names, False))
    return _store(Path(directory), name, certificate, key)


def make_signer(directory, ca, name, key_type="rsa"):
    """A certificate that signs SOAP messages: DIRECTORY/NAME.pem, NAME.key. key_type: "rsa" (2048
    bits), "p256", "p384" or "p521". Another customer's is made the same way."""
    key = make_key(key_type)
    certificate = _issue(ca, name, key.public_key(), [])
    return _store(Path(directory), name, certificate, key)


def make_client(directory, ca, name, key_type="rsa"):
    """A client certificate with a software key, for tests that have no token."""
    key = make_key(key_type)
    public = key.public_key().public_bytes(serialization.Encoding.PEM,
                                           serialization.PublicFormat.SubjectPublicKeyInfo)
    certificate = x509.load_pem_x509_certificate(issue_client(ca, public, name))
    return _store(Path(directory), name, certificate, key)


def issue_client(ca, public_key_pem, common_name):
    """A certificate for TLS sign-in and signature with a key that lies elsewhere. Takes the public
    key as PEM (bytes or text), returns the certificate as PEM bytes."""
    if isinstance(public_key_pem, str):
        public_key_pem = public_key_pem.encode("ascii")
    public = serialization.load_pem_public_key(public_key_pem)
    return _pem(_issue(ca, common_name, public,
                       [ExtendedKeyUsageOID.CLIENT_AUTH, SMARTCARD_LOGON]))


def issue_for_card(ca, public_key, common_name, role, days_left=None):
    """A certificate (x509.Certificate) as De-Mail's cards hold them; days_left: until its end, which
    may be past. role: "auth" signs in, "sign"
    signs for a person, "enc" is enciphered to; "issuer" is the one that the card's maker puts on
    it, for none of De-Mail's uses."""
    usage = {"auth": {"digital_signature": True}, "sign": {"content_commitment": True},
             "enc": {"key_encipherment": True}, "issuer": {"data_encipherment": True}}[role]
    extended = [ExtendedKeyUsageOID.CLIENT_AUTH, SMARTCARD_LOGON] if role == "auth" else []
    return _issue(ca, common_name, public_key, extended, usage=usage,
                  age=ONE_HOUR if days_left is None else
                  LIFETIME - datetime.timedelta(days=days_left) - ONE_HOUR)


def sha256_of(certificate_pem):
    """The fingerprint that provider.json and reply_signer want: 64 hex digits, of the DER."""
    if isinstance(certificate_pem, str):
        certificate_pem = certificate_pem.encode("ascii")
    return x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256()).hex()


def make_key(key_type):
    if key_type in ("rsa", "rsa4096"):
        return rsa.generate_private_key(public_exponent=65537,
                                        key_size=2048 if key_type == "rsa" else 4096)
    curve = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1,
             "brainpoolP256r1": ec.BrainpoolP256R1}[key_type]
    return ec.generate_private_key(curve())


def _issue(ca, common_name, public_key, extended_usage, *extensions, usage=None, age=ONE_HOUR):
    builder = (_builder(_name(common_name), ca.certificate.subject, public_key, age)
               .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
               .add_extension(_usage(**(usage or {"digital_signature": True})), critical=True)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                   ca.key.public_key()), critical=False))
    if extended_usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended_usage), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(ca.key, hashes.SHA256())


def _builder(subject, issuer, public_key, age=ONE_HOUR):
    start = datetime.datetime.now(datetime.timezone.utc) - age
    return (x509.CertificateBuilder()
            .subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start).not_valid_after(start + LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False))


def _usage(**wanted):
    every = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment",
                           "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                           "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**{**every, **wanted})


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "De-Mail sandbox"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def _store(directory, name, certificate, key):
    _write(directory / f"{name}.key", _key_pem(key), 0o600)
    _write(directory / f"{name}.pem", _pem(certificate), 0o644)
    return Identity(directory / f"{name}.pem", directory / f"{name}.key",
                    certificate.fingerprint(hashes.SHA256()).hex())


def _write(path, content, mode):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
