"""The least of an HTTP/2 client (RFC 9113, RFC 7541): one request on a connection of its own, headers as given."""

import socket

from .secrets import remember_tokens

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION = 1, 3, 4, 7, 9
END_STREAM, END_HEADERS = 1, 4
MAX_FRAME = 16_384


def send(port, path, headers=(), method="GET"):
    """Sends a request without a body and waits for the end of its answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request(path, headers, method))
        frames = connection.makefile("rb")
        while not _ends_stream(frames):
            pass


def request(path, headers=(), method="GET"):
    """The bytes of a connection's begin, and of a request without a body, whose stream is 1."""
    pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "api.example")]
    block = b"".join(_field(name.encode(), value.encode()) for name, value in [*pseudo, *headers])
    remember_tokens(block)
    return PREFACE + _frame(SETTINGS, 0, 0, b"") + _head(block)


def reset():
    """The frame that ends this request: CANCEL (section 7)."""
    return _frame(RST_STREAM, 0, 1, (8).to_bytes(4, "big"))


def _head(block):
    """The frames of a head (section 6.10)."""
    parts = [block[start : start + MAX_FRAME] for start in range(0, len(block), MAX_FRAME)]
    kinds = [(HEADERS, END_STREAM)] + [(CONTINUATION, 0)] * (len(parts) - 1)
    kinds[-1] = (kinds[-1][0], kinds[-1][1] | END_HEADERS)
    return b"".join(_frame(*kind, 1, part) for kind, part in zip(kinds, parts, strict=True))


def _frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _field(name, value):
    """A literal without indexing and without a known name (RFC 7541 section 6.2.2)."""
    return b"\0" + _text(name) + _text(value)


def _text(text):
    """A string literal that is not compressed; its length is an integer with a prefix of 7 bits (section 5.1)."""
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, length = len(text) - 127, [127]
    while rest >= 128:
        length.append(rest % 128 + 128)
        rest //= 128
    return bytes([*length, rest]) + text


def _ends_stream(frames):
    """Reads one frame."""
    head = frames.read(9)
    assert len(head) == 9, "the connection ended before the answer"
    payload = frames.read(int.from_bytes(head[:3], "big"))
    assert head[3] not in (RST_STREAM, GOAWAY), payload
    is_answer = int.from_bytes(head[5:], "big") == 1 and head[3] in (0, HEADERS)
    return is_answer and bool(head[4] & END_STREAM)
