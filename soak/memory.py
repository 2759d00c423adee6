"""The memory that the proxy takes, and whether it stays flat."""

import time
from statistics import median

EVERY = 5
# The share of the time in which caches fill up and everything has happened once.
WARM_UP = 0.25


class Memory:
    """Samples of the memory of an Envoy: pairs of seconds and KiB."""

    def __init__(self, envoy):
        self._envoy, self._begun = envoy, time.monotonic()
        self.samples = []

    async def watch(self, events):
        """Takes a sample every few seconds, for as long as anything happens."""
        while True:
            self.samples.append((round(time.monotonic() - self._begun), self._envoy.resident()))
            await events.pause(EVERY)

    def growth(self):
        """By how many KiB the last quarter of what follows the warm-up is above the first one: medians."""
        settled = self._settled()
        quarter = max(1, len(settled) // 4)
        return round(median(settled[-quarter:]) - median(settled[:quarter]))

    def median(self):
        """The median after the warm-up."""
        return round(median(self._settled()))

    def _settled(self):
        return [size for _, size in self.samples[int(len(self.samples) * WARM_UP) :]]
