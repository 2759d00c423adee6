"""A client that sends exactly the bytes it is told to."""

import http.client
import select
import socket
import struct
import uuid
from dataclasses import dataclass

from .secrets import remember_tokens


@dataclass
class Response:
    """An answer, whole."""

    status: int
    headers: list
    body: bytes

    def all(self, name):
        """Every value of the header."""
        return [value for other, value in self.headers if other.lower() == name]

    @property
    def challenge(self):
        """The only WWW-Authenticate, or None."""
        values = self.all("www-authenticate")
        assert len(values) <= 1, values
        return values[0] if values else None


class Exchange:
    """A request under way, on a connection of its own."""

    def __init__(self, port, data):
        remember_tokens(data)
        self._socket = self._connect(port)
        self._socket.sendall(data)

    def _connect(self, port):
        return socket.create_connection(("127.0.0.1", port), timeout=30)

    def send(self, data):
        """Sends more of the request."""
        self._socket.sendall(data)

    def is_waiting(self, seconds=0.3):
        """Whether no answer has begun to arrive within this time."""
        return not select.select([self._socket], [], [], seconds)[0]

    def response(self):
        """Waits for the answer."""
        answer = http.client.HTTPResponse(self._socket)
        try:
            answer.begin()
            return Response(answer.status, answer.getheaders(), answer.read())
        finally:
            self.leave()

    def rest(self):
        """All bytes up to the end of the connection."""
        try:
            return b"".join(iter(lambda: self._socket.recv(65536), b""))
        finally:
            self.leave()

    def reset(self):
        """Breaks the connection off."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.leave()

    def leave(self):
        """Closes the connection."""
        self._socket.close()


def send(port, path, headers=(), method="GET", body=None):
    """One request and its answer."""
    return begin(port, path, headers, method, body).response()


def begin(port, path, headers=(), method="GET", body=None):
    """Sends a whole request and does not wait for the answer."""
    length = [] if body is None else [("content-length", str(len(body)))]
    return Exchange(port, head(path, [*headers, *length], method) + (body or b""))


def head(path, headers=(), method="GET"):
    """The bytes of a request's head; text is sent as UTF-8."""
    lines = [f"{method} {path} HTTP/1.1", "host: api.example", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def bearer(token):
    """The header with the token."""
    return [("authorization", f"Bearer {token}")]


def unique_path(prefix):
    """A path that no other request has."""
    return prefix + uuid.uuid4().hex
