"""What is measured: which filters see which tokens."""

from dataclasses import dataclass

from . import modules
from .bootstrap import native, provider, warden, wasm
from .pools import COUNT, ISSUER, Pool, pool

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256"]
HOT = 500
# How jwt-warden is told to forget every token.
COLD = {"token_cache": {"max_entries": 0}}
# More than the hot tokens, so that all of them are hits.
NATIVE_CACHE = 1000
MANY_PROVIDERS, MANY_RULES = 50, 1000

HOT_TOKENS = f"{HOT} hot tokens"
# More than fit into the cache, which keeps a part of them and is not washed out.
IN_TURN = f"RS256, {COUNT} tokens in turn"
NO_FILTER, EMPTY_FILTER = "no filter", "empty Wasm filter"


def new_tokens(algorithm):
    """The case's name."""
    return f"{algorithm}, every token new"


@dataclass(frozen=True)
class Case:
    """One line of the table: requests with these tokens to this listener of this Envoy."""

    name: str
    proxy: str
    listener: str
    pool: Pool
    tokens: int = 1 << 30  # how many of the pool are used


def proxies(pools):
    """The Envoys: names, and their listeners with their filters."""
    keys = {algorithm: provider(pools[algorithm].jwk) for algorithm in ALGORITHMS}
    fallback = {name: warden(keys[name], module=modules.without_host_crypto(), **COLD) for name in ("RS256", "ES256")}
    rsa = keys["RS256"]
    return {
        "none": {"all": []},
        "empty": {"all": wasm(modules.empty())},
        "native": {name: native(key) for name, key in keys.items()},
        "native, cache on": {"RS256": native(rsa, cache=NATIVE_CACHE)},
        "jwt-warden, cache off": {name: warden(key, **COLD) for name, key in keys.items()},
        "jwt-warden, fall-back": fallback,
        "jwt-warden": {"RS256": warden(rsa)},
    }


def crowd(count, last, filler):
    """That many providers, of which the last is the one that the tokens are from."""
    others = [provider(filler, issuer=f"{ISSUER}{index}/") for index in range(count - 1)]
    return [*others, last]


def cases(pools):
    """Everything that goes into the table."""
    rsa = pools["RS256"]
    listed = [Case(NO_FILTER, "none", "all", rsa), Case(EMPTY_FILTER, "empty", "all", rsa)]
    for algorithm in ALGORITHMS:
        listed += [
            Case(new_tokens(algorithm), name, algorithm, pools[algorithm])
            for name in ("native", "jwt-warden, cache off")
        ]
    listed += [Case(HOT_TOKENS, name, "RS256", rsa, HOT) for name in ("native", "native, cache on", "jwt-warden")]
    listed += [
        Case(IN_TURN, "jwt-warden", "RS256", rsa),
        *(Case(new_tokens(name), "jwt-warden, fall-back", name, pools[name]) for name in ("RS256", "ES256")),
    ]
    return listed


def mint():
    """The tokens of the table."""
    return {algorithm: pool(algorithm) for algorithm in ALGORITHMS}
