"""Sends requests through both filters."""

from . import configurations, exchange, sites
from .comparison import Case


def cases(launch, upstream, folder, pairs, fault=None, translate=configurations.warden):
    """One case for each request of each pair of a configuration and requests, in order; grouped by configuration.
    `translate` makes jwt-warden's configurations, `fault` changes them."""
    natives = [configuration for configuration, _ in pairs]
    ports = sites.start(launch, upstream, folder, natives, fault, translate)
    heads = [[request.head() for request in requests] for _, requests in pairs]
    work = [(ports[f"{side}{index}"], texts) for side in ("native", "warden") for index, texts in enumerate(heads)]
    outcomes = exchange.send(work)
    natively, ours = outcomes[: len(pairs)], outcomes[len(pairs) :]
    grouped = zip(pairs, natively, ours, strict=True)
    return [
        [Case(configuration, *three) for three in zip(requests, native, warden, strict=True)]
        for (configuration, requests), native, warden in grouped
    ]
