"""Latencies in bounded room."""

import itertools
import math
from collections import Counter

# Each bucket is 2 % wider than the one before.
_STEP = math.log(1.02)


class Latencies:
    """How often each latency came, to within 2 %."""

    def __init__(self):
        self.buckets = {}

    def add(self, name, seconds):
        """One more."""
        self.buckets.setdefault(name, Counter())[int(math.log(seconds * 1e6) / _STEP)] += 1

    def quantile(self, name, share):
        """Microseconds that so great a share did not exceed."""
        buckets = self.buckets[name]
        sums = itertools.accumulate(sorted(buckets.items()), lambda one, next: (next[0], one[1] + next[1]))
        bucket = next(bucket for bucket, number in sums if number >= share * buckets.total())
        return round(math.exp((bucket + 1) * _STEP))
