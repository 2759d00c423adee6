"""Mistakes of a filter, made in its configuration: the table of differences must not explain them away."""

from .rules import is_exemption


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


def _other_cookies(provider):
    return {"from_cookies": [f"other-{name}" for name in provider.get("from_cookies", [])] or None}


def _paths_as_prefixes(rule):
    match = {("prefix" if kind == "path" else kind): value for kind, value in rule["match"].items()}
    return {**rule, "match": match}


def _each_requirement(change):
    """The change, made to every requirement, those within others first."""

    def changed(requirement):
        [(kind, value)] = requirement.items()
        if kind.startswith("requires_"):
            value = {"requirements": [changed(inner) for inner in value["requirements"]]}
        return change(kind, value)

    def fault(configuration):
        rules = [
            {**rule, "requires": changed(rule["requires"])} if "requires" in rule else rule
            for rule in configuration["rules"]
        ]
        named = {name: changed(requirement) for name, requirement in configuration.get("requirement_map", {}).items()}
        return {**configuration, "rules": rules, **({"requirement_map": named} if named else {})}

    return fault


def _of_kind(kind, change):
    """The change, made to every requirement of this kind."""
    return _each_requirement(lambda found, value: change(value) if found == kind else {found: value})


def _in_reverse(kind, value):
    return {kind: {"requirements": value["requirements"][::-1]} if kind == "requires_any" else value}


def _without_exemptions(group):
    return _any([part for part in group["requirements"] if not is_exemption(part)] or group["requirements"])


def _any(parts):
    """Each part twice: of a single one it may be told at load that it can never be met."""
    return {"requires_any": {"requirements": [*parts, *parts]}}


def _without_name(rule):
    return {name: value for name, value in rule.items() if name != "requirement_name"}


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
    "cookies have other names": _each_provider(_other_cookies),
    "nothing asks for a token": _each_rule(lambda rule: {"match": rule["match"]}),
    "paths are prefixes": _each_rule(_paths_as_prefixes),
    "audiences of the rule do not count": _of_kind(
        "provider_and_audiences", lambda value: {"provider_name": value["provider_name"]}
    ),
    "all are met by one": _of_kind("requires_all", lambda group: {"requires_any": group}),
    "all are met by the first": _of_kind("requires_all", lambda group: group["requirements"][0]),
    "any means the first": _of_kind("requires_any", lambda group: _any(group["requirements"][:1])),
    "any is looked at from behind": _each_requirement(_in_reverse),
    "bad tokens pass where they may be missing": _of_kind("allow_missing", lambda _: {"allow_missing_or_failed": {}}),
    "bad tokens never pass": _of_kind("allow_missing_or_failed", lambda _: {"allow_missing": {}}),
    "exemptions do not count": _of_kind("requires_any", _without_exemptions),
    "named requirements do not count": _each_rule(_without_name),
    "what no rule matches is refused": lambda configuration: {**configuration, "unmatched": "deny"},
}
