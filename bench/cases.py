"""What is measured: which filters see which tokens."""

from dataclasses import dataclass

from . import modules, questions
from .bootstrap import native, provider, warden, wasm
from .pools import COUNT, ISSUER, Pool, pool

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256"]
HOT = 500
# How jwt-warden is told to forget every token.
COLD = {"token_cache": {"max_entries": 0}}
# Those of which the calls of the host are measured by themselves, and about how many tokens the host is asked then.
BY_THE_HOST = ["RS256", "ES256"]
QUESTIONS = 64
# Those that are measured without the host's help too.
FALLBACK = ["RS256", "ES256"]
# More than the hot tokens, so that all of them are hits.
NATIVE_CACHE = 1000
MANY_PROVIDERS, MANY_RULES = 50, 1000

HOT_TOKENS = f"{HOT} hot tokens"
# More than fit into the cache, which keeps a part of them and is not washed out.
IN_TURN = f"RS256, {COUNT} tokens in turn"
NO_FILTER, EMPTY_FILTER = "no filter", "empty Wasm filter"
# The Envoy whose filter does nothing but ask of the host what jwt-warden asks.
CALLS = "the calls alone"


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
    fallback = {name: warden(keys[name], module=modules.without_host_crypto(), **COLD) for name in FALLBACK}
    calls = {name: wasm(modules.calls(), questions.all_about(pools[name], QUESTIONS)) for name in BY_THE_HOST}
    rsa = keys["RS256"]
    return {
        "none": {"all": []},
        "empty": {"all": wasm(modules.empty())},
        CALLS: {**calls, "hot": wasm(modules.calls())},
        "native": {name: native(key) for name, key in keys.items()},
        "native, cache on": {"RS256": native(rsa, cache=NATIVE_CACHE)},
        "jwt-warden, cache off": {name: warden(key, **COLD) for name, key in keys.items()},
        "jwt-warden, fall-back": fallback,
        "jwt-warden": {"RS256": warden(rsa)},
        "jwt-warden, in turn": {"RS256": warden(rsa)},
    }


def crowd(count, last, filler):
    """That many providers, of which the last is the one that the tokens are from."""
    others = [provider(filler, issuer=f"{ISSUER}{index}/") for index in range(count - 1)]
    return [*others, last]


def groups(pools):
    """Everything that goes into the table. What is compared is in one group, whose first case has no filter."""
    rsa = pools["RS256"]
    hot = (("native", "RS256"), ("native, cache on", "RS256"), ("jwt-warden", "RS256"), (CALLS, "hot"))
    return [
        [
            Case(NO_FILTER, "none", "all", rsa),
            Case(EMPTY_FILTER, "empty", "all", rsa),
            Case(IN_TURN, "jwt-warden, in turn", "RS256", rsa),
        ],
        *(_of_new_tokens(algorithm, pools[algorithm]) for algorithm in ALGORITHMS),
        [Case(HOT_TOKENS, name, listener, rsa, HOT) for name, listener in (("none", "all"), *hot)],
    ]


def _of_new_tokens(algorithm, tokens):
    ours = ["jwt-warden, cache off", *(["jwt-warden, fall-back"] if algorithm in FALLBACK else [])]
    calls = [CALLS] if algorithm in BY_THE_HOST else []
    names = [("none", "all"), *((name, algorithm) for name in ("native", *ours, *calls))]
    return [Case(new_tokens(algorithm), name, listener, tokens) for name, listener in names]


def mint():
    """The tokens of the table."""
    return {algorithm: pool(algorithm) for algorithm in ALGORITHMS}
