"""Answers as they come, many on one connection."""

import asyncio
import re

# No answer may take that long: it is far beyond every time-out of the filter.
PATIENCE = 60
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\n(?:(?:x-user: ([^\r]*)|(connection: close)|[^\r]+)\r\n)*\r\n")


class StreamEnded(Exception):
    """The connection ended, or stayed silent, where an answer was due."""


class Stream:
    """A connection that is made when it is needed."""

    def __init__(self, port):
        self._port = port
        self._reader = self._writer = None
        self._rest = b""

    async def exchange(self, requests):
        """Sends all at once, and gives status and user of each answer: fewer where the proxy says that it closes the
        connection. A body looks like no head, and is skipped."""
        heads = []
        try:
            await self._connect()
            self._writer.write(b"".join(requests))
            while len(heads) < len(requests):
                heads += await asyncio.wait_for(self._more(), PATIENCE)
                if heads and heads[-1][3]:
                    self.close()
                    break
        except (OSError, asyncio.TimeoutError, EOFError) as problem:
            self.close()
            raise StreamEnded(type(problem).__name__) from None
        return [(int(head[1]), head[2] and head[2].decode()) for head in heads]

    async def _connect(self):
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def _more(self):
        data = await self._reader.read(1 << 16)
        if not data:
            raise EOFError
        self._rest += data
        heads = list(_HEAD.finditer(self._rest))
        if heads:
            self._rest = self._rest[heads[-1].end() :]
        return heads

    def close(self):
        """Closes it; the next exchange makes a new one."""
        if self._writer is not None:
            self._writer.close()
        self._writer, self._rest = None, b""
