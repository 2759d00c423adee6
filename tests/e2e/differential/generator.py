"""The configurations and requests of a seed: the same ones each time, but for the keys and the clock."""

import random

from . import configurations, requests


def generate(seed, issuers, number, each):
    """So many pairs of a configuration and its requests."""
    return [_one(random.Random(f"{seed}/{index}"), issuers, each) for index in range(number)]


def _one(rng, issuers, each):
    configuration = configurations.native(rng, issuers)
    return configuration, [requests.generate(rng, configuration, issuers) for _ in range(each)]
