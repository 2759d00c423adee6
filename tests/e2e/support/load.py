"""Many requests at once: kept connections, each with one request under way."""

import asyncio
import itertools
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .client import bearer
from .secrets import remember_tokens


@dataclass
class Result:
    """What became of one request; `tag` is the test's own."""

    tag: object
    status: int
    seconds: float


def request(token, path="/", headers=()):
    """The bytes of a request on a connection that is kept."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in [*bearer(token), *headers])
    data = f"GET {path} HTTP/1.1\r\nhost: api.example\r\n{lines}\r\n".encode()
    remember_tokens(data)
    return data


def run(port, requests, connections=32):
    """Sends all `requests`, pairs of a tag and bytes, over so many connections: the results."""
    return asyncio.run(send_all(port, requests, connections))


def run_during(action, port, requests, connections=32):
    """Sends these `requests` over and over until `action` has returned: the results."""
    is_over = threading.Event()
    endless = itertools.takewhile(lambda _: not is_over.is_set(), itertools.cycle(requests))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, port, endless, connections)
        try:
            action()
        finally:
            is_over.set()
        return running.result()


async def send_all(port, requests, connections):
    """The same, within a loop."""
    results, requests = [], iter(requests)
    await asyncio.gather(*(_connection(port, requests, results) for _ in range(connections)))
    return results


def statuses(results):
    """The statuses that came, each once."""
    return {result.status for result in results}


def median(results):
    """The median latency in milliseconds."""
    return statistics.median(result.seconds for result in results) * 1000


async def _connection(port, requests, results):
    reader = writer = None
    for tag, data in requests:
        begun = time.perf_counter()
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        status, is_kept = await _answer(reader)
        results.append(Result(tag, status, time.perf_counter() - begun))
        if not is_kept:
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


async def _answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
    await reader.readexactly(int(length))
    return int(head[9:12]), b"connection: close" not in head
