"""What happens while the load runs. Whoever changes what is right says so to the load first: both the old and the new
are right from then on, until the filter has to have noticed."""

import asyncio
import itertools
import time
import uuid
from collections import Counter

from lab.issuer import Answer

from . import scene as times
from .answers import Stream
from .scene import LIMIT, SLACK
from .sender import CLIENT
from .tokens import AUDIENCE, of_client

OK, NO, LOCKED = 200, 401, 429
# The longest wait between two tries to fetch a list, after so short a time without it.
LIST_BACKOFF = 8


class Over(Exception):
    """The time is up."""


async def _until_over(happening):
    try:
        await happening
    except Over:
        return
    raise RuntimeError("something ended before its time")


class Events:
    """All that happens in a scene under a load, until `deadline`."""

    def __init__(self, scene, load, probe, deadline):
        self._scene, self._load, self._probe, self._deadline = scene, load, probe, deadline
        self.count, self.log, self.wrong = Counter(), [], []
        self._begun = time.monotonic()

    async def run(self, *others):
        """Lets everything happen at once, over and over, and the `others` too."""
        loops = [self._mint(), self._keys(), self._short_keys(), self._revocations(), self._questions()]
        loops += [self._updates(), self._locks(), *(other(self) for other in others)]
        await asyncio.gather(*map(_until_over, loops))

    async def pause(self, seconds):
        """Waits, or ends what waits."""
        left = self._deadline - time.monotonic()
        await asyncio.sleep(max(0, min(seconds, left)))
        if seconds >= left:
            raise Over

    def _happened(self, what):
        self.count[what] += 1
        self.log.append((round(time.monotonic() - self._begun, 1), what))

    async def _set(self, name, lane, requests, *allowed, load=None):
        await asyncio.to_thread((load or self._load).set, name, lane, requests, allowed)

    async def _allow(self, name, *allowed):
        await asyncio.to_thread(self._load.allow, name, *allowed)

    async def _turn(self, names, old, new, change, seconds):
        """What was answered with `old` is answered with `new`, so many seconds after the change at the latest."""
        for name in names:
            await self._allow(name, old, new)
        await asyncio.to_thread(change)
        await self.pause(seconds + SLACK)
        for name in names:
            await self._allow(name, new)

    async def _hot(self):
        hot = self._scene.idp.good(64)
        for load in (self._load, self._probe):
            await self._set("hot", "main", hot, OK, load=load)

    async def _mint(self):
        """New tokens all the time, good ones and others: those that have been accepted push each other out."""
        idp, guard = self._scene.idp, self._scene.guard
        await self._hot()
        await self._set("public", "main", [(b"GET /public HTTP/1.1\r\nhost: a\r\nx-user: mallory\r\n\r\n", None)], OK)
        await self._set("no token", "main", [(b"GET /idp/ HTTP/1.1\r\nhost: a\r\n\r\n", None)], NO)
        await self._set("of other clients", "guard", of_client(guard.good(64), "192.0.2.1"), OK)
        while True:
            fresh = idp.good(60)
            for load in (self._load, self._probe):
                await self._set("fresh", "main", fresh, OK, load=load)
            await self._set("forged", "main", [*idp.forged(8, idp.keys[0]), *idp.unsigned(8)], NO)
            wrong = {"expired": {"exp": 1}, "audience": {"aud": "other"}, "issuer": {"iss": "https://other.example/"}}
            for name, changes in wrong.items():
                await self._set(name, "main", idp.bad(8, idp.keys[0], **changes), NO)
            await self._set("unknown key", "unknown", idp.unknown(64), NO)
            flood = guard.forged(8, guard.keys[0])
            await self._set("flood", "guard", of_client(flood, CLIENT.decode()), NO)
            self.count["sets of new tokens"] += 1
            await self.pause(0.25)

    async def _keys(self):
        """Keys are replaced, and their endpoint fails, in turn."""
        for fail in itertools.cycle(self._failures(self._scene.jwks)):
            await self._rotate()
            await fail()
            self._happened("key endpoint is back")
            # The last try's time, and its back-off.
            await self.pause(times.TIMEOUT + 1 + SLACK)

    async def _rotate(self):
        idp, server = self._scene.idp, self._scene.jwks
        old, new = idp.keys[0], idp.new_key("ES256")
        server.serve(*idp.keys, new)
        self._happened("new key")
        # They wait for the fetch that they start.
        await self._set("of the new key", "waiting", idp.good(16, new), OK)
        await self.pause(SLACK)
        idp.keys[0] = new
        await self._hot()
        await self._set("of the old key", "main", idp.good(16, old), OK)
        # What was minted with the old key is under way no more once two sets have followed.
        minted = self.count["sets of new tokens"] + 2
        while self.count["sets of new tokens"] < minted:
            await self.pause(0.1)
        self._happened("key withdrawn")
        await self._turn(["of the old key"], OK, NO, lambda: server.serve(*idp.keys), times.CACHE)
        await self.pause(SLACK)

    def _failures(self, server):
        """Ways to fail for a while; nothing of it changes what is right."""
        good = lambda: server.answer_with  # noqa: E731
        answers = {
            "500": lambda: Answer(good().body, status=500),
            "other document": lambda: Answer(b"<html>Sign in</html>"),
            "no keys": lambda: Answer(b'{"keys":[]}'),
            "silent": lambda: Answer(silent=True),
            "cut": lambda: Answer(good().body[:-9], content_length=len(good().body), cut=True),
            "redirect": lambda: Answer(status=302, headers={"location": "/elsewhere"}),
        }

        async def answer_wrongly(name, wrong):
            before, server.answer_with = server.answer_with, wrong()
            await self._fail(name)
            server.answer_with = before

        async def be_down():
            await asyncio.to_thread(server.stop)
            await self._fail("down")
            await asyncio.to_thread(server.start)

        yield be_down
        for name, wrong in answers.items():
            yield lambda name=name, wrong=wrong: answer_wrongly(name, wrong)

    async def _fail(self, name):
        self._happened(f"endpoint fails: {name}")
        await self.pause(times.CACHE + SLACK)

    async def _short_keys(self):
        """An endpoint is away for longer than its keys may serve, and comes back."""
        short, server = self._scene.short, self._scene.short_jwks
        await self._set("keys that end", "short", short.good(32), OK)
        while True:
            await self.pause(SLACK)
            self._happened("keys end")
            await self._turn(["keys that end"], OK, NO, server.stop, times.CACHE + times.STALE)
            await self.pause(SLACK)
            self._happened("keys come back")
            await self._turn(["keys that end"], NO, OK, server.start, 1)

    async def _revocations(self):
        """Sessions are revoked, and the list fails meanwhile."""
        scene, revoked = self._scene, []
        for fail in itertools.cycle(self._failures(scene.denylist)):
            session = str(uuid.uuid4())
            await self._set("revoked by list", "main", scene.idp.good(16, jti=session), OK)
            await self.pause(SLACK)
            revoked = [*revoked, session][-20:]
            self._happened("revoked by list")
            await self._turn(["revoked by list"], OK, NO, lambda: scene.revoke(revoked), times.REFRESH)  # noqa: B023
            await fail()
            self._happened("denylist is back")
            await self.pause(times.TIMEOUT + LIST_BACKOFF + SLACK)

    async def _questions(self):
        """Tokens are revoked at a service, which then fails."""
        asked, service = self._scene.asked, self._scene.service
        while True:
            session = str(uuid.uuid4())
            await self._set("asked about", "waiting", asked.good(16, jti=str(uuid.uuid4())), OK)
            await self._set("revoked by service", "waiting", asked.good(16, jti=session), OK)
            await self.pause(SLACK)
            self._happened("revoked by service")
            revoke = lambda: setattr(service, "revoked", {session})  # noqa: B023, E731
            await self._turn(["revoked by service"], OK, NO, revoke, times.TTL)
            self._happened("service fails")
            await self._turn(["asked about"], OK, NO, lambda: setattr(service, "is_up", False), times.TTL)
            self._happened("service is back")
            await self._turn(["asked about"], NO, OK, lambda: setattr(service, "is_up", True), 1)

    async def _updates(self):
        """The configuration changes: two audiences are accepted in turn."""
        moving, names = self._scene.moving, [AUDIENCE, "other"]
        await self._set(f"audience {names[0]}", "moving", moving.good(32, aud=names[0]), OK)
        await self._set(f"audience {names[1]}", "moving", moving.good(32, aud=names[1]), NO)
        for new, old in itertools.cycle([names[::-1], names]):
            await self.pause(2 * SLACK)
            self._happened("configuration update")
            await self._allow(f"audience {new}", OK, NO)
            await self._turn([f"audience {old}"], OK, NO, lambda: self._scene.accept(new), 3)  # noqa: B023
            await self._allow(f"audience {new}", OK)

    async def _locks(self):
        """A client fails too often, is locked out with a good token, and let in when the window is over."""
        guard, guard_port = self._scene.guard, self._load.lanes["guard"].port
        for number in itertools.count():
            client = f"198.51.{number >> 8 & 255}.{number & 255}"
            forged = of_client(guard.forged(1, guard.keys[0]), client)
            begun = time.monotonic()
            stream = Stream(guard_port)
            answers = [await stream.exchange([data]) for data, _ in forged * 2 * LIMIT]
            stream.close()
            if [status for [(status, _)] in answers] != [NO] * LIMIT + [LOCKED] * LIMIT:
                self.wrong.append({"kind": "client that fails", "answers": answers})
            self._happened("client locked out")
            locked = time.monotonic()
            await self._set("locked out", "guard", of_client(guard.good(16), client), LOCKED)
            await self.pause(begun + times.WINDOW - SLACK - time.monotonic())
            await self._allow("locked out", LOCKED, OK)
            await self.pause(locked + times.WINDOW + SLACK - time.monotonic())
            await self._allow("locked out", OK)
            await self.pause(SLACK)
