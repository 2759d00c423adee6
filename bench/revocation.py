"""What tells the filter which tokens are revoked: a long denylist, and a service that knows every token."""

import json
import uuid
from contextlib import contextmanager

from lab.http import Server, head

ENTRIES = 100_000
CLUSTER = "revocation"
_DENYLIST = "/denylist.json"

BY_DENYLIST = {"denylists": [{"http_uri": {"uri": f"http://bench{_DENYLIST}", "cluster": CLUSTER}, "refresh": "24h"}]}
BY_LOOKUP = {
    "lookup": {
        "http_uri": {"uri": "http://bench/revoked/{jti}", "cluster": CLUSTER},
        "ttl": "1h",
        "revoked_when": {"status": 200},
    }
}


class Service(Server):
    """Gives the denylist out, and says of every token that it is not revoked."""

    def __init__(self):
        self._denylist = json.dumps({"jti": [str(uuid.uuid4()) for _ in range(ENTRIES)]}).encode()
        super().__init__()

    async def answer(self, request, writer):
        status, body = (200, self._denylist) if request.target == _DENYLIST else (404, b"")
        writer.write(head(status, {"content-length": len(body)}) + body)
        await writer.drain()
        return True


@contextmanager
def clusters():
    """The cluster of a service that runs as long."""
    service = Service()
    try:
        yield {CLUSTER: service.port}
    finally:
        service.stop()
