"""Mistakes of a filter, made in its configuration: the table of differences must not explain them away."""


def _each_provider(change):
    """The change, made to every provider of a configuration."""

    def fault(configuration):
        providers = {name: {**provider, **change(provider)} for name, provider in configuration["providers"].items()}
        return {**configuration, "providers": {name: _without_none(provider) for name, provider in providers.items()}}

    return fault


def _each_rule(change):
    """The change, made to every rule."""
    return lambda configuration: {**configuration, "rules": [change(rule) for rule in configuration["rules"]]}


def _without_none(provider):
    return {name: value for name, value in provider.items() if value is not None}


def _without_first_claim(provider):
    return {"claim_to_headers": provider.get("claim_to_headers", [])[1:]}


def _paths_as_prefixes(rule):
    match = {("prefix" if kind == "path" else kind): value for kind, value in rule["match"].items()}
    return {**rule, "match": match}


FAULTS = {
    "audiences do not count": _each_provider(lambda provider: {"audiences": None, "any_audience": True}),
    "issuers do not count": _each_provider(lambda provider: {"issuer": None, "any_issuer": True}),
    "times hardly count": _each_provider(lambda provider: {"clock_skew_seconds": 86400}),
    "the skew does not count": _each_provider(lambda provider: {"clock_skew_seconds": 0}),
    "lifetimes do not count": _each_provider(lambda provider: {"max_lifetime": None}),
    "exp has to be there": _each_provider(lambda provider: {"require_expiration": True}),
    "subjects do not count": _each_provider(lambda provider: {"subjects": None}),
    "one algorithm is missing": _each_provider(lambda provider: {"algorithms": ["RS256", "ES256"]}),
    "tokens are not forwarded": _each_provider(lambda provider: {"forward": False}),
    "all tokens are forwarded": _each_provider(lambda provider: {"forward": True}),
    "a claim header is missing": _each_provider(_without_first_claim),
    "payloads are not padded": _each_provider(lambda provider: {"pad_forward_payload_header": False}),
    "cookies do not count": _each_provider(lambda provider: {"from_cookies": None}),
    "nothing asks for a token": _each_rule(lambda rule: {"match": rule["match"]}),
    "paths are prefixes": _each_rule(_paths_as_prefixes),
    "what no rule matches is refused": lambda configuration: {**configuration, "unmatched": "deny"},
}
