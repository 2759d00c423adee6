"""What is measured: which filters see which tokens."""

from dataclasses import dataclass

from . import bootstrap, modules
from .bootstrap import native, provider, warden, wasm
from .pools import COUNT, ISSUER, Pool, pool
from .revocation import BY_DENYLIST, BY_LOOKUP, ENTRIES

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256"]
HOT = 500
# How jwt-warden is told to forget every token.
COLD = {"token_cache": {"max_entries": 0}}
# More than the hot tokens, so that all of them are hits.
NATIVE_CACHE = 1000
MANY_PROVIDERS, MANY_RULES = 50, 1000

HOT_TOKENS = f"{HOT} hot tokens"
HOT_MANY_RULES = f"{HOT_TOKENS}, {MANY_RULES} rules"
HOT_MANY_PROVIDERS = f"{HOT_TOKENS}, any of {MANY_PROVIDERS} providers"
HOT_DENYLIST = f"{HOT_TOKENS}, denylist of {ENTRIES} entries"
HOT_LOOKUP = f"{HOT_TOKENS}, looked up and remembered"
HOT_OBSERVED = f"{HOT_TOKENS}, rule with a name, refusals audited"
HOT_REPORTED = f"{HOT_TOKENS}, all of that and report-only"
# More than fit into the cache, which keeps a part of them and is not washed out.
IN_TURN = f"RS256, {COUNT} tokens in turn"
NAMED = [{**rule, "name": "api"} for rule in bootstrap.make_rules(1)]
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
        "jwt-warden": {
            "RS256": warden(rsa),
            "rules": warden(rsa, rules=bootstrap.make_rules(MANY_RULES)),
            "providers": warden(*crowd(MANY_PROVIDERS, rsa, pools["ES256"].jwk)),
            "denylist": warden({**rsa, "revocation": BY_DENYLIST}),
            "lookup": warden({**rsa, "revocation": BY_LOOKUP}),
            "observed": warden(rsa, rules=NAMED, audit={"decisions": "denied"}),
            "reported": warden(rsa, rules=NAMED, audit={"decisions": "denied"}, report_only=True),
        },
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
        Case(HOT_MANY_RULES, "jwt-warden", "rules", rsa, HOT),
        Case(HOT_MANY_PROVIDERS, "jwt-warden", "providers", rsa, HOT),
        Case(HOT_DENYLIST, "jwt-warden", "denylist", rsa, HOT),
        Case(HOT_LOOKUP, "jwt-warden", "lookup", rsa, HOT),
        Case(HOT_OBSERVED, "jwt-warden", "observed", rsa, HOT),
        Case(HOT_REPORTED, "jwt-warden", "reported", rsa, HOT),
        *(Case(new_tokens(name), "jwt-warden, fall-back", name, pools[name]) for name in ("RS256", "ES256")),
    ]
    return listed


def mint():
    """The tokens of the table."""
    return {algorithm: pool(algorithm) for algorithm in ALGORITHMS}
