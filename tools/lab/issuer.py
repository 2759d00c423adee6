"""An issuer's JWKS endpoint, whose answers can be steered: late, wrong, cut, hostile."""

import asyncio
import json
from dataclasses import dataclass, field

from .http import Server, head, on_loop


@dataclass
class Answer:
    """One way to answer a fetch."""

    body: bytes = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    content_length: object = None  # a number that may lie; the body's length by default
    cut: bool = False  # reset the connection within the body
    silent: bool = False  # take the request and never answer
    endless: bool = False  # keep the connection open as if more were to come


class JwksServer(Server):
    """Serves one answer, counts fetches, and can hold them back until it is told to let them go."""

    def __init__(self, *keys, port=0):
        self.fetches = []
        self.metadata = None
        self.answer_with = Answer()
        self._open_gate = asyncio.Event()
        self._open_gate.set()
        self.serve(*keys)
        super().__init__(port)

    @property
    def uri(self):
        """Where the key set is."""
        return f"http://127.0.0.1:{self.port}/jwks.json"

    @property
    def metadata_uri(self):
        """Where the issuer's metadata are, once `metadata` is set."""
        return f"http://127.0.0.1:{self.port}/.well-known/openid-configuration"

    def serve(self, *keys):
        """Answers with these keys from now on."""
        self.answer_with = Answer(json.dumps({"keys": [key.jwk() for key in keys]}).encode())

    def hold(self):
        """Lets fetches wait."""
        self._open_gate.clear()

    def release(self):
        """Answers every fetch that waits, and those to come."""
        on_loop(self._release())

    async def _release(self):
        self._open_gate.set()

    def _answer_to(self, request):
        if self.metadata is not None and request.target.startswith("/.well-known/"):
            return Answer(json.dumps(self.metadata).encode())
        return self.answer_with

    def arrived(self, request):
        self.fetches.append(request)

    async def answer(self, request, writer):
        await self._open_gate.wait()
        answer = self._answer_to(request)
        if answer.silent:
            await asyncio.sleep(600)
        length = len(answer.body) if answer.content_length is None else answer.content_length
        writer.write(head(answer.status, {"content-length": length, **answer.headers}) + answer.body)
        await writer.drain()
        if answer.cut:
            await asyncio.sleep(0.05)  # so that the head arrives before the reset does
            writer.transport.abort()
        return answer.endless or (not answer.cut and length == len(answer.body))
