"""Generated configurations, in jwt_authn's words, and their translation into jwt-warden's."""

from . import places
from .issuers import AUDIENCE, HOUR, SUBJECT

BASES = ["/", "/api", "/api/", "/api/v1", "/apis", "/Admin", "/files/a.b", "/files/"]
REGEXES = ["/api/v[0-9]+", "/(api|files)/.*", "/api/[^/]+/x", ".*\\.png", "/files/a.b", "/[Aa]dmin(/.*)?"]
CLAIMS = {"sub": "sub", "level": "level", "name": "realm.name", "roles": "realm.roles", "none": "missing"}
TENANTS = [
    {"string_match": {"exact": "acme"}},
    {"string_match": {"exact": "acme", "ignore_case": True}},
    {"string_match": {"prefix": "ac"}},
    {"string_match": {"suffix": "me"}},
    {"string_match": {"contains": "cm"}},
    {"string_match": {"safe_regex": {"regex": "a[a-z]+"}}},
    {"present_match": True},
    {"present_match": False},
    {"string_match": {"exact": "acme"}, "invert_match": True},
    {"range_match": {"start": 1, "end": 10}},
]
QUERIES = [{"string_match": {"exact": "2"}}, {"string_match": {"prefix": "2"}}, {"present_match": True}]
CONDITIONS = {"headers", "query_parameters"}
SUBJECTS = [
    {"exact": SUBJECT},
    {"exact": SUBJECT, "ignore_case": True},
    {"prefix": "alice"},
    {"suffix": "@one.example"},
    {"contains": "@one."},
    {"safe_regex": {"regex": "[a-z]+@one\\.example"}},
]


def native(rng, issuers):
    """A configuration of jwt_authn."""
    providers = {f"p{index}": _provider(rng, issuers, index) for index in range(rng.choice([1, 1, 2, 2, 3, 4]))}
    named = {f"r{index}": _requirement(rng, providers, 2) for index in range(rng.choice([0, 0, 1, 2]))}
    configuration = {"providers": providers, "rules": _reachable(_rules(rng, providers, list(named)))}
    if named:
        configuration["requirement_map"] = named
    if rng.random() < 0.3:
        configuration["bypass_cors_preflight"] = True
    return configuration


def warden(native):
    """The same for jwt-warden: where it is stricter by default, the opt-outs that are there for that."""
    providers = {name: _strict_provider(provider) for name, provider in native["providers"].items()}
    return {**native, "providers": providers, "unmatched": "allow"}


def _strict_provider(provider):
    opt_outs = {}
    if "issuer" not in provider:
        opt_outs["any_issuer"] = True
    if "audiences" not in provider:
        opt_outs["any_audience"] = True
    if "max_lifetime" not in provider:
        opt_outs["require_expiration"] = provider.get("require_expiration", False)
    return {**provider, **opt_outs, "algorithms": ["RS256", "ES256", "HS256"]}


def _provider(rng, issuers, index):
    issuer = rng.randrange(len(issuers.names))
    provider = {"local_jwks": issuers.jwks(issuer), **_places(rng), **_forwarding(rng, index)}
    if rng.random() < 0.9:
        provider["issuer"] = issuers.names[issuer]
    optional = {
        "audiences": (0.7, [[AUDIENCE], [AUDIENCE, "web"], ["web"]]),
        "clock_skew_seconds": (0.4, [600, 3600]),
        "require_expiration": (0.2, [True]),
        "max_lifetime": (0.2, [f"{2 * HOUR}s", f"{100 * HOUR}s"]),
        "subjects": (0.25, SUBJECTS),
    }
    for name, (probability, values) in optional.items():
        if rng.random() < probability:
            provider[name] = rng.choice(values)
    return provider


def _places(rng):
    """Half of the providers look in the default places, so that they share them."""
    if rng.random() < 0.45:
        return {}
    headers = [
        {"name": "Authorization", "value_prefix": "Bearer "},
        {"name": "x-token"},
        {"name": "x-token", "value_prefix": "jwt="},
        {"name": "x-goog-iap-jwt", "value_prefix": "Bearer "},
    ]
    chosen = {
        "from_headers": rng.sample(headers, rng.choice([0, 1, 1, 2])),
        "from_params": rng.sample(["access_token", "jwt"], rng.choice([0, 0, 1, 2])),
        "from_cookies": rng.sample(["session", "jwt"], rng.choice([0, 0, 1])),
    }
    return {name: value for name, value in chosen.items() if value}


def _forwarding(rng, index):
    """Headers of the provider's own, or shared ones."""
    suffix = rng.choice(["", f"-{index}", f"-{index}", f"-{index}"])
    chosen = rng.sample(list(CLAIMS), rng.choice([0, 1, 2, 5]))
    forwarding = {}
    if chosen:
        forwarding["claim_to_headers"] = [
            {"header_name": f"x-claim-{name}{suffix}", "claim_name": CLAIMS[name]} for name in chosen
        ]
    if rng.random() < 0.4:
        forwarding["forward_payload_header"] = f"x-payload{suffix}"
        if rng.random() < 0.3:
            forwarding["pad_forward_payload_header"] = True
    if rng.random() < 0.3:
        forwarding["forward"] = True
    return forwarding


def _rules(rng, providers, named):
    rules = []
    for _ in range(rng.choice([1, 2, 3, 4, 6])):
        rule = {"match": _match(rng)}
        kind = rng.random()
        if named and kind < 0.3:
            rule["requirement_name"] = rng.choice(named)
        elif kind < 0.85:
            rule["requires"] = _requirement(rng, providers, rng.choice([1, 1, 2, 3]))
        rules.append(rule)
    return rules


def _match(rng):
    match = _path(rng)
    if rng.random() < 0.15:
        match["headers"] = [{"name": "x-tenant", **rng.choice(TENANTS)}]
    if rng.random() < 0.1:
        match["query_parameters"] = [{"name": "v", **rng.choice(QUERIES)}]
    return match


def _path(rng):
    kind = rng.choices(["prefix", "path", "path_separated_prefix", "safe_regex", "connect_matcher"], [8, 4, 4, 4, 1])[0]
    if kind == "safe_regex":
        return {kind: {"regex": rng.choice(REGEXES)}}
    if kind == "connect_matcher":
        return {kind: {}}
    base = rng.choice(BASES)
    if kind == "path_separated_prefix":
        base = rng.choice([text for text in BASES if not text.endswith("/")])
    insensitive = {"case_sensitive": False} if rng.random() < 0.15 else {}
    return {kind: base, **insensitive}


def _requirement(rng, providers, depth):
    names = list(providers)
    kinds = ["provider_name", "provider_and_audiences", "allow_missing", "allow_missing_or_failed"]
    weights = [8, 2, 1, 1]
    if depth > 1:
        kinds, weights = [*kinds, "requires_any", "requires_all"], [*weights, 8, 4]
    kind = rng.choices(kinds, weights)[0]
    if kind == "provider_name":
        return {kind: rng.choice(names)}
    if kind == "provider_and_audiences":
        audiences = rng.choice([[AUDIENCE], ["web"], ["web", "other"]])
        return {kind: {"provider_name": rng.choice(names), "audiences": audiences}}
    if kind.startswith("allow"):
        return {kind: {}}
    inner = _distinct(_requirement(rng, providers, depth - 1) for _ in range(6))[: rng.choice([2, 3])]
    group = {kind: {"requirements": inner}}
    return group if _is_possible(providers, group) else {"requires_any": {"requirements": inner}}


def _is_possible(providers, requirement):
    """Whether a request can meet it: jwt-warden takes it for a mistake otherwise."""
    needed = [providers[name] for name in _needed(requirement)]
    return not any(_exclude_each_other(one, other) for one in needed for other in needed)


def _needed(requirement):
    """The providers of which tokens have to be there."""
    if "requires_all" in requirement:
        return [name for inner in requirement["requires_all"]["requirements"] for name in _needed(inner)]
    return [] if "requires_any" in requirement else [name for name, _ in places.providers_in(requirement)]


def _exclude_each_other(one, other):
    issuers = {provider.get("issuer") for provider in (one, other)}
    return len(issuers) == 2 and None not in issuers and set(places.of(one)) <= set(places.of(other))


def _distinct(requirements):
    """At least two, each once where that is possible."""
    distinct = []
    requirements = list(requirements)
    for requirement in requirements:
        if requirement not in distinct:
            distinct.append(requirement)
    return distinct if len(distinct) > 1 else requirements


def _reachable(rules):
    """Without the rules that an earlier one covers: jwt-warden takes those for mistakes."""
    reachable = []
    for rule in rules:
        if not any(_covers(earlier["match"], rule["match"]) for earlier in reachable):
            reachable.append(rule)
    return reachable


def _covers(earlier, later):
    """Whether it might: conditions on the same things are taken for the same conditions."""
    if not earlier.keys() & CONDITIONS <= later.keys() & CONDITIONS:
        return False
    (kind, begin), (other, text) = _path_of(earlier), _path_of(later)
    if {kind, other} & {"safe_regex", "connect_matcher"}:
        return (kind, begin) == (other, text)
    return text.lower().startswith(begin.lower())


def _path_of(match):
    return next((kind, value) for kind, value in match.items() if kind not in {*CONDITIONS, "case_sensitive"})
