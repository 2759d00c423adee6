"""A load process, as the others see it: what it is to send, and what has to come of it."""

import multiprocessing
import threading

from . import sender
from .plan import Kind


class Load:
    """A load process. Every method may be called from any thread."""

    def __init__(self, lanes):
        self.lanes = lanes
        context = multiprocessing.get_context("spawn")
        self._pipe, end = context.Pipe()
        self._lock = threading.Lock()
        self._process = context.Process(target=sender.main, args=(lanes, end), daemon=True)
        self._process.start()
        end.close()

    def set(self, name, lane, requests, allowed):
        """Sends these from now on; returns once no request of that name from before is under way."""
        self._ask("set", Kind(name, lane, list(requests), frozenset(allowed)))

    def allow(self, name, *allowed):
        """These statuses are right from now on, and those from before too for what is under way."""
        self._ask("allow", name, frozenset(allowed))

    def tally(self):
        """What came so far."""
        return self._ask("tally")

    def stop(self):
        """Ends it: what came of everything."""
        tally = self._ask("stop")
        self._process.join(10)
        return tally

    def _ask(self, *message):
        with self._lock:
            self._pipe.send(message)
            return self._pipe.recv()
