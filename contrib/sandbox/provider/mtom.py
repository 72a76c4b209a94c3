"""MTOM (SOAP Message Transmission Optimization Mechanism, XOP): a multipart/related body on bytes.

The parts are taken from the body as they stand: no decoding, no unfolding, no line end touched.
"""
import re
import secrets
import urllib.parse

XOP = "http://www.w3.org/2004/08/xop/include"
MAX_PARTS = 16
MAX_PART_HEADER = 16384


class MtomError(Exception):
    """Says what is wrong with the packaging."""


def parse_content_type(value):
    """("type/subtype", {parameter: value}), both in lower case but for the values."""
    match = re.match(r"\s*([\w.+-]+/[\w.+-]+)\s*", value, re.ASCII)
    if not match:
        raise MtomError("Content-Type cannot be read")
    parameters = {}
    position = match.end()
    pattern = re.compile(r';\s*([\w*.-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*', re.ASCII)
    while position < len(value):
        found = pattern.match(value, position)
        if not found:
            if value[position:].strip(" \t;") == "":
                break
            raise MtomError("Content-Type's parameters cannot be read")
        name = found[1].lower()
        if name in parameters:
            raise MtomError(f"Content-Type names {name} twice")
        parameters[name] = (re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3])
        position = found.end()
    return match[1].lower(), parameters


def split(parameters, body):
    """(root part as bytes, {content-id: memoryview of the other parts})."""
    if parameters.get("type", "").lower() != "application/xop+xml":
        raise MtomError("multipart/related is not of type application/xop+xml")
    if parameters.get("start-info", "").lower() != "application/soap+xml":
        raise MtomError("start-info is not application/soap+xml")
    boundary = parameters.get("boundary", "")
    if not re.fullmatch(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", boundary):
        raise MtomError("no boundary as RFC 2046 allows it")
    parts = _parts(body, boundary.encode("ascii"))
    start = parameters.get("start")
    if start is None:
        root_id = next(iter(parts))
    else:
        root_id = _bare(start)
        if root_id not in parts:
            raise MtomError("start names no part")
    headers, root = parts.pop(root_id)
    media, root_parameters = parse_content_type(headers.get("content-type", ""))
    if (media != "application/xop+xml"
            or root_parameters.get("type", "").lower() != "application/soap+xml"
            or root_parameters.get("charset", "utf-8").lower() != "utf-8"):
        raise MtomError("the root part is not application/xop+xml, UTF-8, of application/soap+xml")
    for headers, _ in parts.values():
        encoding = headers.get("content-transfer-encoding", "binary").strip().lower()
        if encoding not in ("binary", "8bit"):
            raise MtomError("a part is not transferred as binary")
    return bytes(root), {cid: content for cid, (_, content) in parts.items()}


def _parts(body, boundary):
    view = memoryview(body)
    delimiter = b"--" + boundary
    # The first delimiter may stand at the very beginning, without the CRLF that belongs to the rest.
    if body.startswith(delimiter):
        position = len(delimiter)
    else:
        position = body.find(b"\r\n" + delimiter)
        if position < 0:
            raise MtomError("the boundary does not occur")
        position += 2 + len(delimiter)
    parts = {}
    while True:
        line_end = body.find(b"\r\n", position)
        if body[position:position + 2] == b"--":
            break
        if line_end < 0 or body[position:line_end].strip(b" \t"):
            raise MtomError("a boundary line holds something else")
        begin = line_end + 2
        end = body.find(b"\r\n" + delimiter, line_end)
        if end < 0:
            raise MtomError("the closing boundary is missing")
        header_end = body.find(b"\r\n\r\n", line_end, min(end + 4, line_end + MAX_PART_HEADER))
        if header_end < 0:
            raise MtomError("a part has no end of its header")
        headers = _headers(body[begin:header_end + 2])
        cid = _bare(headers.get("content-id", ""))
        if not cid or cid in parts:
            raise MtomError("a part has no Content-ID, or another's")
        # An empty part: the blank line's CRLF is the delimiter's too.
        parts[cid] = (headers, view[min(header_end + 4, end):end])
        if len(parts) > MAX_PARTS:
            raise MtomError(f"more than {MAX_PARTS} parts")
        position = end + 2 + len(delimiter)
    if not parts:
        raise MtomError("no parts")
    return parts


def _headers(block):
    headers = {}
    try:
        text = re.sub(r"\r\n[ \t]+", " ", block.decode("ascii"))
    except UnicodeDecodeError as error:
        raise MtomError("a part's header is not ASCII") from error
    for line in text.split("\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers:
            raise MtomError("a part's header cannot be read or repeats a field")
        headers[name.lower()] = value.strip()
    return headers


def _bare(content_id):
    text = content_id.strip()
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def resolve(include, parts, used):
    """The part that an xop:Include names. used: a set, to which its Content-ID is added."""
    if set(include.attrib) != {"href"} or len(include) or (include.text or "").strip():
        raise MtomError("xop:Include has something else than an href")
    scheme, _, reference = include.get("href").partition(":")
    cid = urllib.parse.unquote(reference)
    if scheme.lower() != "cid" or cid not in parts:
        raise MtomError("xop:Include names no part")
    if cid in used:
        raise MtomError("two xop:Include name one part")
    used.add(cid)
    return parts[cid]


def join(root, content_id, content):
    """(Content-Type, body) of an MTOM message with one part besides the root."""
    boundary = "part-" + secrets.token_hex(16)
    content_type = (f'multipart/related; type="application/xop+xml"; start="<root@provider>"; '
                    f'start-info="application/soap+xml"; boundary="{boundary}"')
    body = b"".join((
        f"--{boundary}\r\n".encode(),
        b'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n'
        b"Content-Transfer-Encoding: binary\r\nContent-ID: <root@provider>\r\n\r\n",
        root,
        f"\r\n--{boundary}\r\nContent-Type: message/rfc822\r\n"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{content_id}>\r\n\r\n".encode(),
        content, f"\r\n--{boundary}--\r\n".encode()))
    return content_type, body
