"""Ways to write an address of a De-Mail domain, and what somebody else would read in one."""

import re
import unicodedata

PLAIN, TOWN, IDN = "other.de-mail.de", "town.example", "xn--mller-kva.example"
DOMAINS = (PLAIN, TOWN, IDN)  # the last two are not below de-mail.de
OTHER_HOST = "relay.example"


def shifted(text, first, letters="abcdefghijklmnopqrstuvwxyz"):
    """The letters replaced by those from `first` on."""
    return "".join(chr(ord(first) + letters.index(one)) if one in letters else one for one in text)


def whole_domains():
    """Each letter of the domain in another alphabet."""
    for first in "ａⓐ𝐚𝒂𝓪𝔞𝕒𝖆𝖺𝗮𝘢𝙖𝚊":
        yield shifted(PLAIN, first)
    for first in "ＡⒶ𝐀𝑨𝓐𝕬𝖠𝗔𝘈𝘼𝙰🄰":
        yield shifted(PLAIN, first)
    yield shifted(TOWN, "ａ")
    yield shifted(IDN, "ａ")
    yield shifted("müller.example", "ａ")


def dots():
    for dot in "。．｡":
        yield PLAIN.replace(".", dot)
        yield f"other.de-mail{dot}de"
        yield PLAIN + dot
        yield TOWN.replace(".", dot)
    yield PLAIN + "."
    yield PLAIN + ".."
    yield "." + PLAIN
    yield "other..de-mail.de"


def hyphens():
    for hyphen in "－﹣":
        yield f"other.de{hyphen}mail.de"


def single_letters():
    """One letter of de-mail.de, by many others that become it."""
    for letter, others in {"d": "ⅆⅾᵈᴰｄⓓ𝒹", "e": "ℯⅇᵉₑᴱｅℰ", "m": "ⅿᵐₘᴹℳｍⓜ", "a": "ªᵃₐᴬａⓐ𝖆",
                           "i": "ⅰℹⅈⁱᵢᴵℐℑｉⓘ", "l": "ⅼˡₗᴸℒℓｌⓛ"}.items():
        for other in others:
            at = "de-mail.de".index(letter)
            yield "other." + "de-mail.de"[:at] + other + "de-mail.de"[at + 1:]
    for other in "oºᵒₒℴⓞｏ":
        yield other + "ther.de-mail.de"
    yield "othℯʳ.de-mail.de"


def vanishing():
    for code in (0xAD, 0x34F, 0x180B, 0x180C, 0x180D, 0x200B, 0x200C, 0x200D, 0x2060, 0x2064,
                 0xFE00, 0xFE0E, 0xFE0F, 0xFEFF, 0x1BCA0, 0xE0100, 0xE01EF):
        yield f"other.de{chr(code)}-mail.de"
    for code in (0xAD, 0x200B, 0xFE0F):
        yield f"{chr(code)}{PLAIN}"
        yield f"{PLAIN}{chr(code)}"
        yield f"other.de-mail.{chr(code)}de"
        yield f"town{chr(code)}.example"
        yield f"xn--mller{chr(code)}-kva.example"


def idns():
    yield "müller.example"
    yield "MÜLLER.EXAMPLE"
    yield unicodedata.normalize("NFD", "müller.example")
    yield unicodedata.normalize("NFD", "MÜLLER.example")
    yield "mü\u00adller.example"
    yield "mü𝓁𝓁er.example"
    yield "XN--MLLER-KVA.example"
    yield "ｘｎ--mller-kva.example"
    yield "xn－－mller-kva.example"


def sub_domains():
    yield "de-mail.de"
    yield "DE-MAIL.DE"
    yield "Other.De-Mail.De"
    yield "a.b.c.other.de-mail.de"
    yield "unknown.de-mail.de"
    yield "TOWN.Example"
    yield "ⓐ.ⓑ.other.de-mail.de"
    yield "ﬀ.other.de-mail.de"
    yield "㎅.other.de-mail.de"


def hidden():
    """Whole addresses: a De-Mail domain in the local part, or about it."""
    for domain in DOMAINS:
        yield f"bob%{domain}@{OTHER_HOST}"
        yield f'"bob@{domain}"@{OTHER_HOST}'
        yield f"{domain}!bob@{OTHER_HOST}"
    for domain in (PLAIN, TOWN):
        yield f"bob%{domain.upper()}@{OTHER_HOST}"
        yield f"bob%{domain}.@{OTHER_HOST}"
        yield f"bob%{domain}%inner.example@{OTHER_HOST}"
        yield f"bob%inner.example%{domain}@{OTHER_HOST}"
        yield f"inner.example!{domain}!bob@{OTHER_HOST}"
        yield f"{domain}!bob%inner.example@{OTHER_HOST}"
        yield f'"bob%{domain}"@{OTHER_HOST}'
        yield f'"{domain}!bob"@{OTHER_HOST}'
        yield f"bob%{domain}"
        yield f"{domain}!bob"
        yield f"@{OTHER_HOST}:bob@{domain}"
        yield f'"bob@{domain}"'
        yield f"bob@[{domain}]"
        yield f'bob@"{domain}"'
    yield f"bob%müller.example@{OTHER_HOST}"
    yield f"bob%MÜLLER.example@{OTHER_HOST}"
    yield f"bob%other.de－mail.de@{OTHER_HOST}"
    yield f"bob%ｔown.example@{OTHER_HOST}"
    yield f"other.de－mail.de!bob@{OTHER_HOST}"
    yield f'"bob@other.de-mail。de"@{OTHER_HOST}'
    yield f'"@x.example,@{PLAIN}:bob"@{OTHER_HOST}'


def spellings():
    """All, each once."""
    found = [f"bob@{domain}" for part in (whole_domains, dots, hyphens, single_letters, vanishing,
                                          idns, sub_domains) for domain in part()]
    return list(dict.fromkeys([*found, *hidden()]))


# Addresses of nobody at De-Mail, which must leave.
INNOCENT = ("ida@internet.example", "ida@müller-bau.example", "IDA@ÄRZTE.example",
            "ida%inner@internet.example", "ida%inner.example@internet.example",
            "b+bob=other.de-mail.de@lists.example", "ida@de-mail.de.example",
            "ida@town.example.org", "wow!@internet.example", "ida@почта.example")


class Reader:
    """Reads addresses as the next ones would; `icu`: make-strange-address.py's."""

    def __init__(self, icu):
        self.icu = icu

    def is_demail(self, domain):
        # Joiners vanish for readers by UTS 46 that is transitional.
        domain = re.sub("[\u200c\u200d]", "", domain)
        name = self.icu.a_labels(domain.strip(".")) or domain.lower()
        name = name.strip(".")
        return (name in DOMAINS or name == "de-mail.de" or name.endswith(".de-mail.de"))

    def leaks(self, address):
        """Whether this address, given to a host of the Internet, could bring the letter to a
        De-Mail domain."""
        local, at, domain = address.rpartition("@")
        if not at:
            local = domain
        if self.is_demail(domain.strip('[]"')):
            return True
        return bool(re.search("[%@!]", local)) and any(
            self.is_demail(part) for part in re.split(r'[%@!:,;<>()\[\]"\\\s]', local))
