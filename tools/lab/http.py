"""A small HTTP/1.1 server on a thread of its own: it shows what arrives byte for byte, and may misbehave on purpose."""

import asyncio
import json
import threading
from dataclasses import dataclass, field


@dataclass
class Request:
    """A request as it came: header names lower case, values as they are, duplicates kept."""

    method: str
    target: str
    headers: list = field(default_factory=list)
    body: bytes = b""
    trailers: list = field(default_factory=list)

    def all(self, name):
        """Every value of the header, as text (latin-1)."""
        return [value for other, value in self.headers if other == name]

    def get(self, name):
        """The only value of the header, or None; two of them are an error."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} arrived {len(values)} times: {values}"
        return values[0] if values else None


class Server:
    """Serves on 127.0.0.1; subclasses say how to `answer`. May be stopped and started again on the same port."""

    def __init__(self, port=0):
        self.port = port
        self._listening = None
        self._connections = set()
        self.start()

    def start(self):
        """Opens the port; raises OSError if it is taken."""
        on_loop(self._open())

    def stop(self):
        """Closes the port and every connection."""
        on_loop(self._close())

    async def answer(self, request, writer):
        """Writes the answer; a true result keeps the connection."""
        raise NotImplementedError

    def arrived(self, request):
        """Called as soon as a request's head is there."""

    async def _open(self):
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 21)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _close(self):
        self._listening.close()
        for writer in list(self._connections):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self._connections.add(writer)
        try:
            while True:
                request = await _read_head(reader)
                self.arrived(request)
                await _read_body(reader, request)
                if not await self.answer(request, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()


class Upstream(Server):
    """Answers every request with 200 and what it saw as JSON; remembers every request from its head on."""

    def __init__(self, port=0):
        self.requests = []
        super().__init__(port)

    def arrived(self, request):
        self.requests.append(request)

    async def answer(self, request, writer):
        seen = {"method": request.method, "path": request.target, "headers": request.headers}
        body = (json.dumps(seen, indent=2) + "\n").encode()
        writer.write(head(200, {"content-type": "application/json", "content-length": len(body)}) + body)
        await writer.drain()
        return True


def head(status, headers):
    """The bytes of an answer's head."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def on_loop(coroutine):
    """Runs the coroutine on the servers' thread and waits for its result."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result(30)


async def _read_head(reader):
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request_line, *lines = text[:-4].split("\r\n")
    method, target, _version = request_line.split(" ")
    return Request(method, target, [_header(line) for line in lines])


async def _read_body(reader, request):
    if "chunked" in request.all("transfer-encoding"):
        while size := int(await reader.readline(), 16):
            request.body += (await reader.readexactly(size + 2))[:-2]
        while line := (await reader.readline()).rstrip(b"\r\n"):
            request.trailers.append(_header(line.decode("latin-1")))
    elif length := int(request.get("content-length") or 0):
        request.body = await reader.readexactly(length)


def _header(line):
    name, _, value = line.partition(":")
    return name.lower(), value.strip(" \t")


_shared_loop = None


def _loop():
    global _shared_loop
    if _shared_loop is None:
        _shared_loop = asyncio.new_event_loop()
        threading.Thread(target=_shared_loop.run_forever, daemon=True).start()
    return _shared_loop
