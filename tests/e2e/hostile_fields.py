"""Header fields that try to pass as a De-Mail provider's or as ours, by hand and made up, and
innocent ones that come near them. Each is the octets of its lines, CRLF at the end."""

import base64
import random

# What only a provider writes (TR-01201 3.4 3.1), and its own misspellings.
METADATA = ("auth-level", "auth-mechanism", "originator-provider", "account-holder", "version",
            "message-type", "messagetype", "notification-type", "message-id", "integrity",
            "actual-recipient", "chosen-recipient", "signature-certificate")
# Of a De-Mail a sender's, of other mail nobody's.
SENDERS = ("sender", "private-id", "privat-id", "private", "authoritative",
           "confirmation-of-dispatch", "confirmation-of-receipt", "confirmation-of-retrieve")
OURS = ("Demail-Seal", "Demail-Origin", "Demail-Results", "Demail-Anything", "De-Mail-Seal")
AUTH = b"X-De-Mail-Auth-Level"


def field(name, value=b" high"):
    name = name if isinstance(name, bytes) else name.encode()
    return name + b":" + value + b"\r\n"


def made_up(names, count, seed):
    """Spellings of `names` that stay field names to Postfix."""
    pick = random.Random(seed)
    values = (b"", b" ", b"\t", b" high", b"high", b"\r\n high", b" high\r\n\t(really)\r\n and more",
              b" =?utf-8?q?high?=", b" h\xc3\xb6her", b" \xff\xfe", b" " + b"x" * 3000,
              b" x-de-mail-auth-level: high", b" a\r\n \r\n b", b" ;")

    def spelt(name):
        separator = pick.choice(("-", "-", "_", "", "--", ".", "-_", "+", "~"))
        name = "".join(separator if c == "-" and pick.random() < 0.8 else c for c in name)
        case = pick.choice((str.lower, str.upper, str.title, str, str.swapcase, lambda text: "".join(
            pick.choice((c.upper(), c.lower())) for c in text)))
        return pick.choice(("", "", "", "-", "_", ".")) + case(name) + pick.choice(("", "", "-", "_"))

    found = {}
    while len(found) < count:
        name = spelt(pick.choice(names))
        found[name + pick.choice(("", "", " ", "\t", " \t  ", " " * 70))] = pick.choice(values)
    return [field(name, value) for name, value in found.items()]


def encoded(text, charset="utf-8", encoding="q"):
    octets = text.encode(charset)
    word = "".join(f"={octet:02X}" for octet in octets) if encoding in "qQ" else \
        base64.b64encode(octets).decode()
    return f"=?{charset}?{encoding}?{word}?=".encode()


def dressed():
    """Fields to Postfix, with more in the name than case and separators."""
    return [
        *(field(name) for name in (
            encoded("X-De-Mail-Auth-Level"), encoded("X-De-Mail-Auth-Level", encoding="B"),
            encoded("x-de-mail-auth-level", "utf-16-be", "B"),
            encoded("x-de-mail-auth-level", "utf-7", "Q"),
            b"=?us-ascii?Q?X-De-Mail?=", b"=?utf-8*de?Q?X-De-Mail-Auth-Level?=",
            b"=?utf-8?q?X-De?==?utf-8?q?-Mail-Version?=", b"=?utf-8?q?X-De?=-Mail-Version",
            b"X-=?utf-8?q?De?=-Mail-Version", b"X-De-Mail=?utf-8?q?-Version?=",
            encoded("Demail-Seal"), b"=?x?b?RGVtYWlsLVNlYWw=?=", b"=?x-de-mail-version")),
        *(field(name) for name in (
            b"X-De.Mail.Auth.Level", b"X.De.Mail", b"X+De+Mail", b"X-De-Mail[auth_level]",
            b'"X-De-Mail-Auth-Level"', b"'Demail-Seal'", b"<x-de-mail-version>", b"X-De-Mail(c)",
            b"X-De-Mail;", b"X-De-Mail-Auth-Level;x=y", b"x-d-e-m-a-i-l-version", b"--X-De-Mail",
            b"X-De-Mail", b"XDeMail", b"demail", b"DEMAIL", b"x-de-mailer", b"X-De-Mail-Foo-Bar",
            b"De-Mail", b"_x_de_mail_version", b"X/De/Mail/Version", b"$X-De-Mail", b"X-De-M*ail",
            b"X`De`Mail", b"x-de-mail-Auth\\Level", b"X-De-Mail{}", b"X,De,Mail", b"X|De|Mail")),
        *(field(AUTH + blanks, value) for blanks in (b" ", b"\t", b"  \t ", b" " * 900)
          for value in (b"", b"high", b" high", b"\r\n high")),
        # Several of one name, at several places, spelt alike or not.
        field(AUTH) * 2, field(AUTH) * 20, field(AUTH) + field(AUTH.upper()) + field(AUTH.lower()),
        field(AUTH) + field(AUTH + b" ") + field(AUTH + b"\t") + field(AUTH),
        field(AUTH, b"") * 3, field(AUTH, b" low") + field("X-Between") + field(AUTH),
        b"".join(field(AUTH) + field(f"X-Between-{n}") for n in range(30)),
        field("x-de-mail-private") * 3, field("x-de-mail-sender", b" boss@firm.de-mail.de") * 2,
        field("Demail-Seal", b" v=1; k=k1") * 2, field("Demail-Origin", b" x") * 2,
        b"".join(field(f"x-de-mail-{n}") for n in range(200)),
        # Long ones.
        field(AUTH, b" " + b"x" * 100000), field(AUTH, b"\r\n xxxxxxxxxxxxxxxxxx" * 5000),
        field(AUTH, b"\r\n ") + field("x-de-mail-version", b"\r\n \r\n\t\r\n "),
        field("Subject", b" " + b"x" * 110000) + field(AUTH),
        field("X-Long", b"\r\n xxxxxxxxxxxxxxxxxx" * 6000) + field(AUTH),
        *(field(b"x-de-mail-" + b"a" * length)
          for length in (60, 500, 900, 980, 990, 1000, 1100, 1900, 2030)),
        *(field(b"-" * length + b"x-de-mail-version") for length in (900, 982, 985, 1000, 2000)),
        *(field(AUTH + b" " * length) for length in (970, 1000, 2000)),
        field("X-Long", b" " + b"x" * 2040) + field(AUTH)]


def tricks():
    """What some readers take for a header field and others for a part of the one before, for a line
    of the body or for nothing."""
    forged = field(AUTH)
    letters = "ｘ－ｄｅ－ｍａｉｌ－ａｕｔｈ"
    return [
        # Folded where none may fold.
        b"X-De-Mail-\r\n Auth-Level: high\r\n", AUTH + b"\r\n : high\r\n", AUTH + b" \r\n\t: high\r\n",
        b"X-De-\r\n\tMail-Version: high\r\n", b"X-De-Mail-Version\r\n: high\r\n",
        b" " + forged, b"\t" + forged, b"X-Foo: a\r\n " + forged, b"X-Foo:\r\n\t" + forged,
        b"X-Foo: a\r\n \r\n" + forged, b"X-Foo: a\r\n\t \r\n" + forged, b" \r\n" + forged,
        b"X-Foo:\r\n" + forged, b"X-Foo: a\\\r\n" + forged, b"X-Foo: (\r\n" + forged,
        b'X-Foo: "\r\n' + forged, b"X-Foo: =?utf-8?q?\r\n" + forged, b"X-Foo: a=\r\n" + forged,
        # Blanks within.
        b"X De Mail Auth: high\r\n", b"X-De-Mail Auth-Level: high\r\n", b"X -De-Mail-Version: high\r\n",
        b"X-De-Mail-Auth-Level high\r\n", b"X-De-Mail-Auth-Level= high\r\n", b"X-De-Mail : : high\r\n",
        # After a line that is no field.
        *(line + b"\r\n" + forged for line in (
            b"no colon here", b": no name", b":", b"-----", b"From anna@firm.example Mon Jan  1",
            b">From anna Mon Jan  1", b"From: x", b"two words: x", b"\x01: x", b"\xc3\xb6: x", b"=",
            b"--boundary", b"begin 644 x", b".", b"..", b"\x00", b"X-Foo\x00: x", b"X-Foo: a\x00b",
            b"X-Foo: \x1a", b"Content-Type: multipart/mixed; boundary=b", b"MIME-Version: 1.0 (",
            b"Content-Type: message/rfc822", b"\\", b"\x0c", b"X-" + b"a" * 3000)),
        # Line ends that are some readers' only.
        *(b"X-Foo: a" + end + forged for end in (
            b"\r", b"\n", b"\n\r", b"\r\r", b"\r\r\n", b"\n\n\r\n", b"\x0b", b"\x0c", b"\x1c",
            b"\x1d", b"\x1e", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\x00",
            b"\x00\r\n", b"\r\x00\n", b"\x1b[2K", b"\x15", b"\x08" * 9)),
        AUTH + b"\r: high\r\n", AUTH + b"\n: high\r\n", AUTH + b": high\r", AUTH + b": high\n",
        AUTH + b": high\n\n", b"\r" + forged, b"\n" + forged, b"\r\r\n" + forged,
        b"X-Foo: a\r\n\r" + forged, b"X-Foo: a\n " + forged, b"X-Foo: a\r" + forged * 2,
        b"X-De-\rMail-Version: high\r\n", b"X-De-\nMail-Version: high\r\n",
        # Octets that no name may hold.
        *(field(AUTH[:5] + octets + AUTH[5:]) for octets in (
            b"\x00", b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x1b", b"\x7f", b"\xa0", b"\xad",
            b"\xc2\xa0", b"\xc2\xad", b"\xe2\x80\x8b", b"\xe2\x80\x90", b"\xe2\x81\xa0",
            b"\xef\xbb\xbf", b"\xcc\x80", b"\xff")),
        *(field(octets + AUTH) for octets in (
            b"\x00", b"\x08", b"\x7f", b"\xa0", b"\xc2\xa0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe2\x80\xae")),
        *(field(AUTH + octets) for octets in (
            b"\x00", b"\x0b", b"\x7f", b"\xa0", b"\xc2\xa0", b"\xe3\x80\x80", b"\xef\xbc\x9a")),
        field(letters), field("Ｄemail-Seal"), field("x‐de‐mail‐version"), field("x−de−mail-version"),
        field("ⅹ-de-mail-version"), field("𝐱-𝐝𝐞-𝐦𝐚𝐢𝐥-version"), field("X-De-Mail-Höhe"),
        AUTH + "：high\r\n".encode(), AUTH + b"\xc0\xba high\r\n", AUTH + b"\x3a\x00 high\r\n",
        # Postfix cuts lines at line_length_limit, 2048: no colon in the first piece.
        *(field(b"x-de-mail-" + b"a" * length)
          for length in (2038, 2040, 2046, 2048, 2050, 2100, 3000, 5000, 50000, 66000)),
        field(b"-" * 2100 + b"x-de-mail-version"), field(AUTH + b" " * 2100),
        b"a" * 2048 + forged, b"X-Foo: " + b"a" * 2041 + forged, b"a" * 4096 + forged,
        # A line that some encoded-word decoder makes a field, or two.
        encoded("X-De-Mail-Auth-Level: high") + b"\r\n", encoded("a\r\nX-De-Mail-Version: 1") + b"\r\n",
    ]


INNOCENT = [field(name, value) for name, value in (
    ("X-Demo-Mail", b" 1"), ("X-Demand", b" 2"), ("X-Dem-Mail", b" 3"), ("X-De", b" mail"),
    ("X-D-E-M-A-I-1", b" one"), ("X-Mail", b" x-de-mail"), ("X-Mailer", b" x-de-mail 1.0"),
    ("X-Old-De-Mail", b" y"), ("XX-De-Mail", b" y"), ("X-X-De-Mail", b" y"), ("X2-De-Mail", b" y"),
    ("Not-De-Mail", b" y"), ("Y-De-Mail-Auth-Level", b" y"), ("X-My-De-Mail-Auth-Level", b" y"),
    ("Old-X-De-Mail-Auth-Level", b" high"), ("Resent-X-De-Mail-Version", b" 1"),
    ("X-Dermail", b" y"), ("X-Dmail", b" y"), ("X-DeMai", b" y"), ("X-Email", b" y"), ("Email", b" y"),
    ("X-Delivery-Mail", b" y"), ("X-De1Mail", b" y"), ("X-0De-Mail", b" y"), ("X-Demil", b" y"),
    ("X-Dem", b""), ("X-D", b" "), ("X", b" x-de-mail-auth-level: high"), ("D", b" e"),
    ("Demai", b" l"), ("Deemail", b" y"), ("Dee-Mail", b" y"), ("X-Ode-Mail", b" y"), ("Emaild", b" y"),
    ("Comments", b" Demail-Seal: v=1; x-de-mail-auth-level: high"),
    ("Keywords", b" de-mail, demail,\r\n X-De-Mail-Auth-Level: no field"),
    ("X-Folded", b"\r\n\tX-De-Mail-Version: 1\r\n Demail-Seal: none of ours"),
    ("X-Encoded", b" =?utf-8?q?X-De-Mail-Auth-Level:_high?="), ("X-Empty", b""), ("X-Blank", b"  "),
    ("X-8-Bit", b" Gr\xc3\xbc\xc3\x9fe"), ("X-Latin", b" Gr\xfc\xdfe"), ("X-No-Blank", b"x-de-mail"),
    ("List-Id", b" De-Mail users <de-mail.lists.example>"), ("List-Post", b" <mailto:demail@x.example>"),
    ("List-Unsubscribe", b" <https://demail.example/x-de-mail>"), ("List-Help", b" <https://x.example>"),
    ("List-Archive", b" <https://x.example/de-mail>"), ("List-Owner", b" <mailto:o@x.example>"),
    ("Mail-Followup-To", b" de-mail@lists.example"), ("Mail-Reply-To", b" de-mail@lists.example"),
    ("Mailing-List", b" contact de-mail-help@x.example"), ("Precedence", b" list"),
    ("DKIM-Signature", b" v=1; a=rsa-sha256; d=x.example; s=s;\r\n\th=from:x-de-mail-auth-level;"
     b" bh=YQ==;\r\n\tb=YWJj"), ("ARC-Seal", b" i=1; a=rsa-sha256; cv=none; d=x.example; b=YQ=="),
    ("Authentication-Results", b" x.example; dkim=pass header.d=de-mail.de"),
    ("Received-SPF", b" pass (de-mail.de)"), ("Delivered-To", b" de-mail@x.example"),
    ("X-Original-To", b" demail@x.example"), ("Envelope-To", b" de-mail@x.example"),
    ("In-Reply-To", b" <1@x.de-mail.de>"), ("References", b" <1@x.de-mail.de>\r\n <2@x.de-mail.de>"),
    ("Auto-Submitted", b" no"), ("X-Priority", b" 3"), ("Importance", b" high"), ("Thread-Index", b" Ac=="),
    ("X-Spam-Status", b" No, score=-1 tests=DE_MAIL"), ("Organization", b" De-Mail AG"),
    ("User-Agent", b" demail/1"), ("Content-Language", b" de"), ("MIME-Version", b" 1.0"),
    ("Content-Type", b" text/plain; charset=utf-8; name=\"x-de-mail\""),
    ("Content-Transfer-Encoding", b" 8bit"), ("Disposition-Notification-To", b" a@x.example"),
    ("X-MS-Exchange-Organization-AuthAs", b" Internal"), ("X-Auth-Level", b" high"),
    ("Auth-Level", b" high"), ("X-MAIL-DE", b" y"), ("Integrity", b" a=sha512; bh=x"))]
RESENT = [field(name, value) for name, value in (
    ("Resent-From", b" anna@firm.example"), ("Resent-To", b" boss@x.example"),
    ("Resent-Date", b" Mon, 1 Jan 2024 00:00:00 +0000"), ("Resent-Message-ID", b" <9@x.example>"))]
