"""Two minutes that stand for a day: a start, a rotation, an outage, an attack, and quiet again."""

import asyncio
import random
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager

from lab.http import Upstream
from lab.issuer import Answer, JwksServer
from lab.keys import RsaKey
from support import load, watched
from support.bootstrap import bootstrap, direct_response
from support.envoy import Envoy
from support.prometheus import Prometheus
from support.world import World

SECONDS = 120
# What happens when: the first second, and the last for what lasts.
PHASES = (("start", 0, 0), ("rotation", 25, 25), ("outage", 42, 72), ("attack", 85, 103))
ROTATION, OUTAGE, ATTACK = (range(first, last + 1) for _, first, last in PHASES[1:])
# The clients send so many requests in a tenth of a second; the attackers come from addresses of their own.
TICK, HOT, NEW, CARELESS, FORGED = 0.1, 8, 4, 0.1, 12
CLIENT, ATTACKERS = "127.0.0.1", ("127.0.0.66", "127.0.0.67")
REMOTE = {"timeout": "2s", "cache_duration": "6s", "max_stale": "14s", "unknown_kid_interval": "1s"}


@contextmanager
def played(folder):
    """The Prometheus that has seen it all, and when it began."""
    world = World()
    with ExitStack() as stack:
        acme, idp, upstream = JwksServer(world.key("a", "rs256")), JwksServer(), Upstream()
        idp.answer_with = Answer(b'{"jti": ["gone"]}')
        for server in (acme, idp, upstream):
            stack.callback(server.stop)
        (folder / "envoy").mkdir()
        ports = {"upstream": upstream.port, "acme": acme.port, "idp": idp.port}
        whole = bootstrap([_site(world, acme, idp)], ports, folder / "envoy")
        envoy = Envoy(folder / "envoy", {**whole, **watched.changes()}, concurrency=2, log_level="wasm:error")
        stack.callback(envoy.stop)
        prometheus = Prometheus(folder, (folder / "envoy/admin").read_text())
        stack.callback(prometheus.stop)
        begun = time.time()
        asyncio.run(_Day(world, acme, envoy.port("watched")).pass_by())
        yield prometheus, begun


def _site(world, acme, idp):
    """The site of the tests without the provider that is down."""
    site = watched.site(world, acme, idp, limit=150, route=direct_response(), **REMOTE)
    del site.configuration["providers"]["down"]
    site.configuration["rules"] = [each for each in site.configuration["rules"] if each["match"]["prefix"] != "/down/"]
    return site


class _Day:
    def __init__(self, world, acme, port):
        self._world, self._acme, self._port = world, acme, port
        self._keys = [world.key("a", "rs256"), RsaKey(kid="next", alg="RS256")]
        self._pending = set()
        self._is_down = False

    async def pass_by(self):
        """Sends the requests of each moment, whatever has become of those before."""
        begun = time.monotonic()
        hot = []
        for number in range(round(SECONDS / TICK)):
            second = int(number * TICK)
            if number % 100 == 0:
                hot = [("/acme/", self._token()), *(("/partner/", self._world.token("b")) for _ in range(2))]
                print(f"{second} of {SECONDS} s", file=sys.stderr)
            self._set_the_scene(second)
            for path, token in self._moment(second, hot):
                self._send(path, token, CLIENT)
            if second in ATTACK:
                for _ in range(FORGED):
                    self._send("/acme/", self._forged(), random.choice(ATTACKERS))
            await asyncio.sleep(max(0, begun + (number + 1) * TICK - time.monotonic()))
        await asyncio.gather(*self._pending)

    def _set_the_scene(self, second):
        if second == ROTATION[0]:
            self._acme.serve(*self._keys)
        down = second in OUTAGE
        if down != self._is_down:
            asyncio.get_running_loop().run_in_executor(None, self._acme.stop if down else self._acme.start)
            self._is_down = down

    def _moment(self, second, hot):
        """What the clients send: tokens that are used again and again, new ones, and now and then a bad one."""
        quiet = 0.7 + 0.3 * abs(60 - second) / 60
        yield from (random.choice(hot) for _ in range(round(HOT * quiet)))
        for _ in range(round(NEW * quiet)):
            yield "/acme/", self._token(second)
        if random.random() < CARELESS * 3:
            yield "/acme/", self._token(second, exp=1)
        if random.random() < CARELESS:
            yield "/acme/", self._token(second, jti="gone")
        if random.random() < CARELESS * 2:
            yield "/partner/", "none"

    def _token(self, second=0, **changes):
        key = self._keys[second >= ROTATION[0]]
        return self._world.token(key=key, head={"kid": key.kid}, **{"jti": str(uuid.uuid4()), **changes})

    def _forged(self):
        return self._world.token(jti=str(uuid.uuid4()))[:-12] + "AAAAAAAAAAAA"

    def _send(self, path, token, address):
        task = asyncio.create_task(self._exchange(load.request(token, path), address))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _exchange(self, data, address):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(address, 0))
        try:
            writer.write(data)
            await reader.readuntil(b"\r\n\r\n")
        finally:
            writer.close()
