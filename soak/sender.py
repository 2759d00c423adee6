"""The load itself: requests without a pause over kept connections, and every answer held against what is right."""

import asyncio
import itertools
import random
import time

from lab import processes

from .answers import Stream, StreamEnded
from .plan import Tally

# What stands for a client's address in a request: each time there is another one.
CLIENT = b"10.0.0.0"
SAMPLES = 50


def main(lanes, pipe):
    """The process."""
    processes.end_with_parent()
    asyncio.run(_Sender(lanes, pipe).run())


class _Sender:
    def __init__(self, lanes, pipe):
        self._lanes, self._pipe = lanes, pipe
        self._kinds, self._seen = {}, Tally()
        self._clients = itertools.count()
        self._is_over = False

    async def run(self):
        messages = asyncio.Queue()
        reading = asyncio.get_running_loop().add_reader
        reading(self._pipe.fileno(), lambda: messages.put_nowait(self._pipe.recv()))
        lanes = [(name, lane) for name, lane in self._lanes.items() for _ in range(lane.connections)]
        await asyncio.gather(self._obey(messages), *(self._keep_sending(*lane) for lane in lanes))
        self._pipe.send(self._seen)

    async def _obey(self, messages):
        while not self._is_over:
            verb, *arguments = await messages.get()
            if verb == "stop":
                self._is_over = True
            else:
                self._pipe.send(await getattr(self, verb)(*arguments))

    async def set(self, kind):
        old = self._kinds.get(kind.name)
        self._kinds[kind.name] = kind
        while old and old.under_way:
            await asyncio.sleep(0.002)

    async def allow(self, name, allowed):
        self._kinds[name].allowed = allowed

    async def tally(self):
        return self._seen

    async def _keep_sending(self, name, lane):
        stream = Stream(lane.port)
        while not self._is_over:
            kinds = [kind for kind in self._kinds.values() if kind.lane == name and kind.requests]
            if kinds:
                await self._send(stream, random.choice(kinds), lane)
            await asyncio.sleep(0 if kinds and not lane.pause else lane.pause or 0.02)
        stream.close()

    async def _send(self, stream, kind, lane):
        kind.under_way += 1
        begun, before, requests = time.perf_counter(), kind.allowed, random.choices(kind.requests, k=lane.depth)
        try:
            answers = await stream.exchange([self._addressed(data) for data, _ in requests])
        except StreamEnded as problem:
            if not lane.drains:
                self._judge(kind, kind.allowed | before, (str(problem), None), None)
            answers = []
        finally:
            kind.under_way -= 1
        if lane.depth == 1:
            self._seen.latencies.add(kind.name, time.perf_counter() - begun)
        # What the proxy took no notice of, for it was about to close the connection, is sent again some time.
        self._seen.sent_again += len(requests) - len(answers)
        for (_, user), answer in zip(requests, answers, strict=False):
            self._judge(kind, kind.allowed | before, answer, user)

    def _judge(self, kind, allowed, answer, user):
        status, told = answer
        (self._seen.graced if len(allowed) > 1 else self._seen.answers)[kind.name, status] += 1
        if status in allowed and told == (user if status == 200 else None):
            return
        self._seen.false[kind.name] += 1
        if len(self._seen.samples) < SAMPLES:
            sample = {"kind": kind.name, "status": status, "right": sorted(allowed), "user": user, "told": told}
            self._seen.samples.append({"at": time.time(), **sample})

    def _addressed(self, data):
        if CLIENT not in data:
            return data
        number = next(self._clients)
        return data.replace(CLIENT, b"10.%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255))
