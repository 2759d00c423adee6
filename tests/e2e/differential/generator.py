"""The configurations and requests of a seed: the same ones each time, but for the keys and the clock."""

import itertools
import random

from . import configurations, requests


def generate(seed, issuers, number, each, is_wanted=lambda configuration: True):
    """So many pairs of a configuration that is wanted and its requests."""
    sources = (random.Random(f"{seed}/{index}") for index in itertools.count())
    made = ((rng, configurations.native(rng, issuers)) for rng in sources)
    wanted = (pair for pair in made if is_wanted(pair[1]))
    return [
        (configuration, [requests.generate(rng, configuration, issuers) for _ in range(each)])
        for rng, configuration in itertools.islice(wanted, number)
    ]
