"""The names of a message's header fields as programs other than ours read them."""

import email
import email.policy
import re
import unicodedata

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402

GMime.init()


def compat32(content):
    return email.message_from_bytes(content).keys()


def default(content):
    return email.message_from_bytes(content, policy=email.policy.default).keys()


def gmime(content):
    parsed = GMime.Parser.new_with_stream(
        GMime.StreamMem.new_with_buffer(content)).construct_message(None)
    if parsed is None:  # no message to it
        return []
    fields = parsed.get_header_list()
    try:
        return [fields.get_header_at(n).get_name() for n in range(fields.get_count())]
    except UnicodeDecodeError:  # the binding's, of a name that is not UTF-8: as GMime writes it
        stream = GMime.StreamMem.new()
        fields.write_to_stream(None, stream)
        return lines(bytes(stream.get_byte_array()))


def lines(content):
    """The least particular of all: each line up to the first empty one that has a colon, unless
    it goes on from the one before."""
    header = re.split(rb"\r\n\r\n|\n\n", content)[0]
    return [line.partition(b":")[0].decode("utf-8", "surrogateescape")
            for line in re.split(rb"\r\n|\n", header) if b":" in line and line[:1] not in b" \t"]


READERS = {"email, compat32": compat32, "email, default": default, "GMime": gmime, "lines": lines}


def reads_as_demail(name):
    """Said anew here, not taken from the milter: an encoded word may be anything; Unicode's
    compatible forms are folded, letters and digits alone count."""
    plain = re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKC", name).lower())
    return "=?" in name or re.match("x?demail", plain) is not None


def demail_names(content):
    """{reader: [names that read as De-Mail's]}, of those readers that see any."""
    found = {reader: [name for name in read(content) if reads_as_demail(name)]
             for reader, read in READERS.items()}
    return {reader: names for reader, names in found.items() if names}
