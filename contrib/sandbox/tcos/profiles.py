"""Which files, keys and PINs each kind of card has. Sources: OpenSC's pkcs15-tcos.c and
netkey-tool.c for places, references and flags; the ATRs are card-tcos.c's. Sizes of files, tries at
the start, the file identifier of the SigG application and which file holds an OID prefix are
assumed.
"""
from dataclasses import dataclass

MF = 0x3F00
GDO = 0x2F02
KEYD, PWDD = 0x5349, 0x5049
LOCAL = 0x80  # bit of a reference: searched in the current DF (ISO 7816-4 7.5.1)


@dataclass(frozen=True)
class Pin:
    reference: int
    name: str
    file: int = 0           # TCOS 2: a file of its own, named in its FCP
    minimum: int = 6
    tries: int = 3
    value: str = "123456"
    authorities: tuple = ()  # (DF, reference) that may change and unblock it beside itself


@dataclass(frozen=True)
class Key:
    reference: int
    pin: tuple              # (DF, reference)
    bits: int = 2048
    usage: tuple = ("decipher",)  # "sign": CDS; "decipher": MSE B8 and the private-key operation
    role: str = ""          # what its certificates are for: auth, sign, enc, or none
    file: int = 0           # TCOS 2


@dataclass(frozen=True)
class CertificateFile:
    """`key` 0: empty. prefix: SEQUENCE { OID, Certificate } (see personalise). issuer: from the
    card's maker, none of whose uses is De-Mail. expired: an older certificate of the key."""
    file: int
    key: int = 0
    size: int = 2048
    prefix: bool = False
    issuer: bool = False
    expired: bool = False


@dataclass(frozen=True)
class Application:
    df: int
    aid: str = ""
    keys: tuple = ()
    pins: tuple = ()
    certificates: tuple = ()


@dataclass(frozen=True)
class Profile:
    name: str
    version: int  # of TCOS: 2 or 3
    atr: str
    pins: tuple   # global: the MF's
    applications: tuple


GLOBAL, PUK = (MF, 0x00), (MF, 0x01)
GLOBAL_PINS = (Pin(0x00, "PIN", file=0x5000, authorities=(PUK,)),
               Pin(0x01, "PUK", file=0x5001, minimum=8, tries=10, value="12345678"))
NKS, SIGG = 0xDF01, 0xDF02


def _netkey_certificates(authentication):
    return (CertificateFile(0x4331, key=0x80), CertificateFile(0x4332),
            CertificateFile(0xC000, key=0x80, prefix=True, issuer=True),
            CertificateFile(0x43B1, key=0x81), CertificateFile(0x43B2),
            CertificateFile(0xC200, key=0x81, prefix=True, issuer=True),
            CertificateFile(0x4371, key=0x82), CertificateFile(0x4372),
            CertificateFile(authentication, key=0x82, prefix=True, issuer=True))


NETKEY_3 = Application(
    NKS, "D2760000030102",
    keys=(Key(0x80, (NKS, 0x81), usage=("sign",), role="sign"),
          Key(0x81, (NKS, 0x83), role="enc"),
          Key(0x82, (NKS, 0x83), role="auth"),
          Key(0x83, (NKS, 0x83), bits=1024)),
    pins=(Pin(0x81, "NetKey PIN1", authorities=(GLOBAL,)),
          Pin(0x83, "NetKey PIN2", authorities=(GLOBAL,))),
    certificates=(*_netkey_certificates(0xC500), CertificateFile(0xC201)))

NETKEY_2 = Application(
    NKS, "D2760000030102",
    keys=(Key(0x80, (NKS, 0x81), 1024, ("sign",), "sign", 0x5331),
          Key(0x81, (NKS, 0x80), 1024, role="enc", file=0x53B1),
          Key(0x82, (NKS, 0x80), 1024, role="auth", file=0x5371)),
    pins=(Pin(0x80, "NetKey PIN0", 0x5080, authorities=(GLOBAL, (NKS, 0x81))),
          Pin(0x81, "NetKey PIN1", 0x5081, authorities=(GLOBAL,))),
    certificates=_netkey_certificates(0xC100))

# DF08/81 and 82: a card's encryption keys outlive their certificates, old mail must stay readable.
IDKEY = (
    Application(
        0xDF07, "D2760000030C01",
        keys=(Key(0x84, GLOBAL, role="sign"), Key(0x85, GLOBAL, role="auth"),
              *(Key(reference, GLOBAL) for reference in range(0x86, 0x8A))),
        certificates=(CertificateFile(0x4331, key=0x84, prefix=True),
                      CertificateFile(0x4332, key=0x85), CertificateFile(0x4333))),
    Application(
        0xDF08,
        keys=(Key(0x81, GLOBAL, role="enc"), Key(0x82, GLOBAL, role="enc"), Key(0x83, GLOBAL)),
        certificates=(CertificateFile(0x4331, key=0x81),
                      CertificateFile(0x4332, key=0x82, prefix=True, expired=True),
                      CertificateFile(0x4333))))

SIGG_3 = Application(
    SIGG, "D27600006601",
    keys=(Key(0x84, (SIGG, 0x81), usage=("sign", "decipher"), role="sign"),),
    pins=(Pin(0x81, "SigG PIN"), Pin(0x83, "SigG PIN2", minimum=8, value="12345678")),
    certificates=(CertificateFile(0xC000, key=0x84, prefix=True), CertificateFile(0x4331),
                  CertificateFile(0x4332)))
SIGG_2 = Application(
    SIGG, "D27600006601",
    keys=(Key(0x80, (SIGG, 0x81), 1024, ("sign",), "sign", 0x5331),),
    pins=(Pin(0x81, "SigG PIN", 0x5081),),
    certificates=(CertificateFile(0xC000, key=0x80, prefix=True), CertificateFile(0x4331),
                  CertificateFile(0x4332)))

ATR_2 = "3BBA96008131865D0064057B0203318090007D"
ATR_3 = "3BBFB6008131FE5D00640428030231C073F701D000900067"
PROFILES = {profile.name: profile for profile in (
    Profile("netkey-v3", 3, ATR_3, GLOBAL_PINS, (NETKEY_3,)),
    Profile("netkey-v2", 2, ATR_2, GLOBAL_PINS, (NETKEY_2,)),
    Profile("idkey", 3, "3BBF96008131FE5D00640411030131C073F701D00090007D", GLOBAL_PINS, IDKEY),
    Profile("sigg", 3, ATR_3, GLOBAL_PINS, (NETKEY_3, SIGG_3)),
    Profile("sigg-v2", 2, ATR_2, GLOBAL_PINS, (NETKEY_2, SIGG_2)))}


def pins_of(profile):
    """{(DF, reference): Pin}"""
    return {(MF, pin.reference): pin for pin in profile.pins} | {
        (application.df, pin.reference): pin
        for application in profile.applications for pin in application.pins}


def keys_of(profile):
    """{(DF, reference): Key}"""
    return {(application.df, key.reference): key
            for application in profile.applications for key in application.keys}
