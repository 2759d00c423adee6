"""What one more worker costs in memory."""

from . import cases
from .bootstrap import bootstrap, provider, warden
from .load import drive
from .proxy import Proxy

_FEW, _MANY = 1, 3


def worker_bytes(pools, seconds):
    """The memory that jwt-warden takes per worker, with many providers and its cache full of tokens."""
    keys = provider(pools["RS256"].jwk)
    crowd = cases.crowd(cases.MANY_PROVIDERS, keys, pools["ES256"].jwk)
    tokens = pools["RS256"].path
    return _per_worker(warden(*crowd), tokens, seconds) - _per_worker([], tokens, seconds)


def _per_worker(filters, tokens, seconds):
    few, many = (_resident(filters, tokens, seconds, workers) for workers in (_FEW, _MANY))
    return (many - few) / (_MANY - _FEW)


def _resident(filters, tokens, seconds, workers):
    with Proxy("memory", bootstrap({"all": filters}), workers=workers) as proxy:
        drive(proxy.url("all"), tokens, seconds * workers)
        return proxy.resident_bytes()
