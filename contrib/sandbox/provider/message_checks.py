"""What a submission's content must be: an RFC 5322 message with CRLF line ends that carries the
metadata 1-10 of TR-01201 3.4 3.1 as fields, in agreement with the request's elements, and nothing
that only a provider may write or that would show a Bcc recipient.
"""
import email.utils
import re
from dataclasses import dataclass

from .config import OPTIONS

METADATA = tuple("x-de-mail-" + name for name in (*OPTIONS, "sender", "chosen-recipient",
                                                  "private-id"))
# Traces of the way here, and what would tell the recipient more than the sender wanted.
FORBIDDEN = ("bcc", "received", "return-path", "dkim-signature", "authentication-results",
             "disposition-notification-to", "delivered-to")


@dataclass(frozen=True)
class Submission:
    """A Submit request's elements."""
    private_id: str
    sender: str
    recipients: tuple  # of (address, "to" | "cc" | "bcc")
    options: tuple
    content: bytes


class Refused(Exception):
    """A ProviderFault."""

    def __init__(self, code, reason, retry_after=None):
        super().__init__(reason)
        self.code, self.reason, self.retry_after = code, reason, retry_after


def invalid(reason):
    return Refused("invalid-message", reason)


def check(submission, account, world):
    """Raises Refused, or returns the recipients that cannot be served: [(address, code, reason)]."""
    if not account.owns(submission.sender):
        raise Refused("not-authorised", "the sender address does not belong to the account")
    _check_options(submission.options, account)
    if len(submission.content) > account.max_message_bytes:
        raise Refused("too-large", f"{len(submission.content)} bytes; the account may send "
                                   f"{account.max_message_bytes}")
    _check_content(submission, account)
    rejected = _unservable(submission, world)
    if len(rejected) == len(submission.recipients):
        raise Refused(rejected[0][1], rejected[0][2])
    return rejected


def _check_options(options, account):
    # TR-01201 3.1, steps 19 to 24 of sending.
    needs_high = {"confirmation-of-retrieve", "authoritative", "private"} & set(options)
    if needs_high and account.auth_level != "high":
        raise Refused("option-not-permitted", f"{min(needs_high)} needs the level high")
    for option in options:
        if option not in account.rights:
            raise Refused("option-not-permitted", f"the account may not use {option}")


def _unservable(submission, world):
    rejected = []
    for address, _ in submission.recipients:
        if not world.exists(address):
            rejected.append((address, "unknown-recipient", f"no such De-Mail address: {address}"))
        elif "private" in submission.options and world.level(address) != "high":
            rejected.append((address, "recipient-level", f"{address} cannot receive private "
                                                         "messages: level normal"))
    return rejected


def _check_content(submission, account):
    fields = read_fields(submission.content)
    names = [name for name, _ in fields]
    for name in names:
        squeezed = re.sub(r"[-_]", "", name)
        if (name in FORBIDDEN or name.startswith("resent-") or squeezed.startswith("demail")
                or (squeezed.startswith("xdemail") and name not in METADATA)):
            raise invalid(f"the field {name} has no place in a submission")
    for name in (*METADATA, "from"):
        if names.count(name) != 1:
            raise invalid(f"the field {name} stands {names.count(name)} times, not once")
    for name in ("sender", "reply-to"):
        if names.count(name) > 1:
            raise invalid(f"the field {name} stands {names.count(name)} times")
    if "subject" not in names:
        raise invalid("the field subject is missing")
    values = dict(fields)
    _check_metadata(submission, values)
    _check_originators(submission, account, values)
    _check_visible_recipients(submission, fields)


def read_fields(content):
    """[(name in lower case, unfolded value)] of the top header block."""
    pairs = content.count(b"\r\n")
    if content.count(b"\r") != pairs or content.count(b"\n") != pairs or b"\0" in content:
        raise invalid("the content has bare CR, bare LF or NUL")
    end = content.find(b"\r\n\r\n")
    if end < 0 and not content.endswith(b"\r\n"):
        raise invalid("the header has no end")
    block = content[:end] if end >= 0 else content[:-2]
    fields = []
    for line in re.split(rb"\r\n(?![ \t])", block):
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")  # RFC 5322 4.5: blanks before the colon
        if not colon or not re.fullmatch(rb"[!-9;-~]+", name):
            raise invalid("a line of the header is no field")
        text = value.replace(b"\r\n", b"").decode("utf-8", "surrogateescape")
        fields.append((name.decode("ascii").lower(), text.strip(" \t")))
    return fields


def _check_metadata(submission, values):
    for option in OPTIONS:
        wanted = "yes" if option in submission.options else "no"
        if values["x-de-mail-" + option] != wanted:
            raise invalid(f"x-de-mail-{option} is not {wanted}, as the request says")
    if normal(values["x-de-mail-sender"]) != normal(submission.sender):
        raise invalid("x-de-mail-sender is not the request's sender")
    if values["x-de-mail-private-id"] not in (submission.private_id,
                                              submission.private_id.strip(" \t")):
        raise invalid("x-de-mail-private-id is not the request's privateId")
    chosen = _chosen_recipients(values["x-de-mail-chosen-recipient"])
    requested = {(normal(address), field) for address, field in submission.recipients}
    if len(requested) != len(submission.recipients):
        raise invalid("a recipient stands twice in the request")
    if chosen != requested:
        raise invalid("x-de-mail-chosen-recipient does not name the request's recipients")


def _chosen_recipients(value):
    """TR-01201 3.4 3.1.8: to=a,b;cc=c, each of to, cc, bcc once; , or ; between addresses."""
    pieces = re.split(r"(?:^|;)\s*(to|cc|bcc)\s*=", value, flags=re.IGNORECASE)
    if pieces[0].strip():
        raise invalid("x-de-mail-chosen-recipient cannot be read")
    chosen = set()
    names = [name.lower() for name in pieces[1::2]]
    if len(set(names)) != len(names):
        raise invalid("x-de-mail-chosen-recipient repeats an element")
    for name, addresses in zip(names, pieces[2::2]):
        found = mailboxes(addresses.replace(";", ","))
        if not found or len(set(found)) != len(found):
            raise invalid("x-de-mail-chosen-recipient names nobody, or somebody twice")
        chosen |= {(address, name) for address in found}
    return chosen


def _check_originators(submission, account, values):
    if mailboxes(values["from"]) != [normal(submission.sender)]:
        raise invalid("From is not exactly the sender")
    if "sender" in values:
        found = mailboxes(values["sender"])
        if len(found) != 1 or not account.owns(found[0]):
            raise invalid("Sender is not one address of the account")
    if "reply-to" in values:
        found = mailboxes(values["reply-to"])
        if not found or not all(account.owns_domain_of(address) for address in found):
            raise invalid("Reply-To is outside the account's domains")


def _check_visible_recipients(submission, fields_read):
    shown = {wanted: {address for name, value in fields_read if name == wanted
                      for address in mailboxes(value)} for wanted in ("to", "cc")}
    fields = [field for _, field in submission.recipients]
    if "bcc" in fields and len(fields) != 1:
        raise invalid("a Bcc recipient is not alone in the submission")
    for address, field in submission.recipients:
        address = normal(address)
        if field == "bcc" and address in shown["to"] | shown["cc"]:
            raise invalid("a Bcc recipient stands in To or Cc")
        if field != "bcc" and address not in shown[field]:
            raise invalid(f"{field} recipient {address} does not stand in that field")


def mailboxes(value):
    """The addresses of an address list, in normal form."""
    return [normal(address) for _, address in email.utils.getaddresses([value]) if address]


def normal(address):
    """Lower case, domain in A-labels, no trailing dot, no quotes that are not needed."""
    local, _, domain = address.strip().rpartition("@")
    quoted = re.fullmatch(r'"((?:[^"\\]|\\.)*)"', local)
    if quoted:
        bare = re.sub(r"\\(.)", r"\1", quoted[1])
        if re.fullmatch(r"[^\s()<>\[\]:;@\\,\".]+(\.[^\s()<>\[\]:;@\\,\".]+)*", bare):
            local = bare
    domain = domain.strip().rstrip(".")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        pass  # not a domain name: it stays as it is and agrees with nothing else
    return f"{local.strip()}@{domain}".lower()
