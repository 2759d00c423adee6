"""Behaviours of jwt_authn that operators lean on, one by one: here both filters do the same."""

import random
from dataclasses import dataclass, field

from .issuers import AUDIENCE, HOUR, SUBJECT
from .places import Place
from .requests import Request

BEARER = Place("header", "authorization", "Bearer ")
PARAM = Place("param", "access_token")
X_TOKEN = Place("header", "x-token")
COOKIE = Place("cookie", "session")

# p0 and p2 look in the default places, p1 in a header of its own. They write x-level-0, x-level-1 and x-level-2.
ONE, TWO, THREE = {"provider_name": "p0"}, {"provider_name": "p1"}, {"provider_name": "p2"}
MISSING, FAILED = {"allow_missing": {}}, {"allow_missing_or_failed": {}}


def any_of(*requirements):
    """One of them is enough."""
    return {"requires_any": {"requirements": list(requirements)}}


def all_of(*requirements):
    """All are needed."""
    return {"requires_all": {"requirements": list(requirements)}}


@dataclass
class Alike:
    """`tokens`: places, issuers and flaws. `verdict`: passes, missing (no error in the challenge) or invalid."""

    requires: object
    tokens: list
    verdict: str
    told: dict = field(default_factory=dict)  # headers that the upstream gets, or None for none
    match: dict = field(default_factory=lambda: {"prefix": "/"})
    path: str = "/"
    query: list = field(default_factory=list)
    method: str = "GET"
    headers: list = field(default_factory=list)
    provider: dict = field(default_factory=dict)  # changes to p0
    claims: dict = field(default_factory=dict)
    top: dict = field(default_factory=dict)  # beside rules

    def make(self, issuers):
        """The configuration, and the request."""
        rng = random.Random(2)
        request = Request(self.method, self.path, list(self.query), list(self.headers))
        for level, (place, issuer, flaw, *form) in enumerate(self.tokens):
            request.place(place, issuers.token(rng, issuer, flaw, **{"level": level, **self.claims}), *form)
        providers = {f"p{index}": _provider(issuers, index) for index in range(3)}
        providers["p1"]["from_headers"] = [{"name": "x-token"}]
        providers["p0"].update(self.provider)
        rule = {"match": self.match, **({"requires": self.requires} if isinstance(self.requires, dict) else {})}
        if isinstance(self.requires, str):
            rule["requirement_name"] = self.requires
        return {"providers": providers, "rules": [rule], **self.top}, request


def _provider(issuers, index):
    claims = [{"header_name": f"x-level-{index}", "claim_name": "level"}]
    return {
        "issuer": issuers.names[index],
        "audiences": [AUDIENCE],
        "local_jwks": issuers.jwks(index),
        "claim_to_headers": claims,
    }


def _matching(matches, match, path="/", **options):
    """Whether a rule takes the path: its provider's token is missing."""
    return Alike(ONE, [], "missing" if matches else "passes", match=match, path=path, **options)


def _subject(matcher, flaw, verdict):
    return Alike(ONE, [(BEARER, 0, flaw)], verdict, provider={"subjects": matcher})


def _good(place, **provider):
    """A good token there."""
    return Alike(ONE, [(place, 0, "none")], "passes", {"x-level-0": ["0"]}, provider=provider)


def _cors(verdict, *headers, method="OPTIONS", bypass=True):
    return Alike(ONE, [], verdict, method=method, headers=list(headers), top={"bypass_cors_preflight": bypass})


_WEB = {"provider_and_audiences": {"provider_name": "p0", "audiences": ["web"]}}
_ORIGIN, _METHOD = ("origin", "https://web.example"), ("access-control-request-method", "PUT")
_TENANT = [{"name": "x-tenant", "string_match": {"exact": "acme"}}]
_VERSION = [{"name": "v", "string_match": {"exact": "2"}}]

ALIKE = {
    "default header": _good(BEARER),
    "default parameter": _good(PARAM),
    "own places replace the default ones": Alike(
        ONE, [(BEARER, 0, "none")], "missing", provider={"from_headers": [{"name": "x-token"}]}
    ),
    "own header": _good(X_TOKEN, from_headers=[{"name": "x-token"}]),
    "own parameter": _good(Place("param", "jwt"), from_params=["jwt"]),
    "own cookie": _good(COOKIE, from_cookies=["session"]),
    "cookie in quotes": Alike(
        ONE, [(COOKIE, 0, "none", "quoted")], "passes", {"x-level-0": ["0"]}, provider={"from_cookies": ["session"]}
    ),
    "several cookie headers": Alike(
        ONE, [(COOKIE, 0, "none")], "passes", headers=[("cookie", "a=1")], provider={"from_cookies": ["session"]}
    ),
    "without the scheme": Alike(ONE, [(BEARER, 0, "none", "without prefix")], "missing"),
    "another scheme": Alike(ONE, [(BEARER, 0, "none", "other scheme")], "missing"),
    "the scheme and more": Alike(ONE, [(BEARER, 0, "none", "prefix and dash")], "missing"),
    "garbage": Alike(ONE, [(BEARER, 0, "garbage")], "invalid"),
    "no token": Alike(ONE, [], "missing"),
    "expired": Alike(ONE, [(BEARER, 0, "expired")], "invalid"),
    "expired within the skew": Alike(
        ONE, [(BEARER, 0, "expired a little")], "passes", provider={"clock_skew_seconds": 600}
    ),
    "expired beyond the skew": Alike(ONE, [(BEARER, 0, "expired a little")], "invalid"),
    "not yet valid": Alike(ONE, [(BEARER, 0, "valid later")], "invalid"),
    "other issuer": Alike(ONE, [(BEARER, 0, "other issuer")], "invalid"),
    "no issuer": Alike(ONE, [(BEARER, 0, "no issuer")], "invalid"),
    "wrong key": Alike(ONE, [(BEARER, 0, "wrong key")], "invalid"),
    "unknown kid": Alike(ONE, [(BEARER, 0, "unknown kid")], "invalid"),
    "no kid": Alike(ONE, [(BEARER, 0, "no kid")], "passes"),
    "without exp": Alike(ONE, [(BEARER, 0, "without exp")], "passes"),
    "without exp where it is required": Alike(
        ONE, [(BEARER, 0, "without exp")], "invalid", provider={"require_expiration": True}
    ),
    "without exp but a lifetime": Alike(
        ONE, [(BEARER, 0, "without exp")], "invalid", provider={"max_lifetime": f"{2 * HOUR}s"}
    ),
    "lifetime too long": Alike(ONE, [(BEARER, 0, "exp far off")], "invalid", provider={"max_lifetime": f"{2 * HOUR}s"}),
    "lifetime short enough": Alike(ONE, [(BEARER, 0, "none")], "passes", provider={"max_lifetime": f"{2 * HOUR}s"}),
    "subject exact": _subject({"exact": SUBJECT}, "none", "passes"),
    "subject not exact": _subject({"exact": SUBJECT}, "other subject", "invalid"),
    "subject prefix": _subject({"prefix": "alice"}, "none", "passes"),
    "subject without the prefix": _subject({"prefix": "alice"}, "other subject", "invalid"),
    "subject suffix": _subject({"suffix": "@one.example"}, "none", "passes"),
    "subject without the suffix": _subject({"suffix": "@one.example"}, "other subject", "invalid"),
    "subject by regex": _subject({"safe_regex": {"regex": "[a-z]+@one\\.example"}}, "none", "passes"),
    "subject beside the regex": _subject({"safe_regex": {"regex": "[a-z]+@one"}}, "none", "invalid"),
    "no subject": _subject({"prefix": "alice"}, "no subject", "invalid"),
    "claim is text": Alike(ONE, [(BEARER, 0, "none")], "passes", {"x-level-0": ["gold"]}, claims={"level": "gold"}),
    "claim is true": Alike(ONE, [(BEARER, 0, "none")], "passes", {"x-level-0": ["true"]}, claims={"level": True}),
    "claim is a number": Alike(ONE, [(BEARER, 0, "none")], "passes", {"x-level-0": ["9999"]}, claims={"level": 9999}),
    "claim is a list": Alike(
        ONE, [(BEARER, 0, "none")], "passes", {"x-level-0": ["WyJhIl0="]}, claims={"level": ["a"]}
    ),
    "claim is null": Alike(
        ONE, [(BEARER, 0, "none")], "passes", {"x-level-0": None}, claims={"level": None}, headers=[("x-level-0", "9")]
    ),
    "claim headers of the client": Alike(
        ONE, [(BEARER, 0, "none")], "passes", {"x-level-0": ["0"]}, headers=[("x-level-0", "9")]
    ),
    "claim headers of the client without a token": Alike(
        FAILED, [], "passes", {"x-level-0": None}, headers=[("x-level-0", "9")]
    ),
    "any: the first": Alike(any_of(ONE, TWO), [(BEARER, 0, "none")], "passes", {"x-level-0": ["0"]}),
    "any: the second": Alike(any_of(ONE, TWO), [(X_TOKEN, 1, "none")], "passes", {"x-level-1": ["0"]}),
    "any: in one place": Alike(any_of(ONE, THREE), [(BEARER, 2, "none")], "passes", {"x-level-2": ["0"]}),
    "any: none": Alike(any_of(ONE, TWO), [], "missing"),
    "any: a bad one, and one missing": Alike(any_of(ONE, TWO), [(BEARER, 0, "expired")], "invalid"),
    "any: one missing, and a bad one": Alike(any_of(ONE, TWO), [(X_TOKEN, 1, "expired")], "invalid"),
    "any: a stranger's": Alike(any_of(ONE, THREE), [(BEARER, 0, "other issuer")], "invalid"),
    "any: both bad": Alike(any_of(ONE, TWO), [(BEARER, 0, "expired"), (X_TOKEN, 1, "wrong key")], "invalid"),
    "all: both": Alike(
        all_of(ONE, TWO),
        [(BEARER, 0, "none"), (X_TOKEN, 1, "none")],
        "passes",
        {"x-level-0": ["0"], "x-level-1": ["1"]},
    ),
    "all: one missing": Alike(all_of(ONE, TWO), [(BEARER, 0, "none")], "missing"),
    "all: one bad": Alike(all_of(ONE, TWO), [(BEARER, 0, "none"), (X_TOKEN, 1, "expired")], "invalid"),
    "all: the first bad": Alike(all_of(ONE, TWO), [(BEARER, 0, "expired")], "invalid"),
    "nested: any within all": Alike(
        all_of(any_of(ONE, THREE), TWO), [(BEARER, 2, "none"), (X_TOKEN, 1, "none")], "passes"
    ),
    "nested: all within any": Alike(any_of(all_of(ONE, TWO), THREE), [(BEARER, 2, "none")], "passes"),
    "nested: neither": Alike(any_of(all_of(ONE, TWO), THREE), [(X_TOKEN, 1, "none")], "missing"),
    "allow missing: none": Alike(MISSING, [], "passes"),
    "allow missing: good": Alike(MISSING, [(BEARER, 0, "none")], "passes", {"x-level-0": ["0"]}),
    "allow missing: expired": Alike(MISSING, [(BEARER, 0, "expired")], "invalid"),
    "allow missing: a stranger's": Alike(MISSING, [(BEARER, 0, "other issuer")], "invalid"),
    "allow missing: garbage": Alike(MISSING, [(BEARER, 0, "garbage")], "invalid"),
    "optional: none": Alike(any_of(ONE, MISSING), [], "passes"),
    "optional: good": Alike(any_of(ONE, MISSING), [(BEARER, 0, "none")], "passes", {"x-level-0": ["0"]}),
    "optional: expired": Alike(any_of(ONE, MISSING), [(BEARER, 0, "expired")], "invalid"),
    "optional: a stranger's": Alike(any_of(ONE, MISSING), [(BEARER, 0, "other issuer")], "invalid"),
    "optional: for the rule": Alike(
        any_of(_WEB, MISSING), [(BEARER, 0, "none")], "passes", {"x-level-0": ["0"]}, claims={"aud": "web"}
    ),
    "optional: not for the rule": Alike(any_of(_WEB, MISSING), [(BEARER, 0, "none")], "invalid"),
    "optional: a bad one elsewhere": Alike(any_of(ONE, MISSING), [(X_TOKEN, 1, "expired")], "passes"),
    "optional: both missing": Alike(any_of(MISSING, all_of(ONE, TWO)), [(X_TOKEN, 1, "none")], "passes"),
    "indulgent: not for the rule": Alike(
        any_of(FAILED, _WEB), [(BEARER, 0, "none")], "passes", {"x-level-0": None}, headers=[("x-level-0", "9")]
    ),
    "indulgent: good elsewhere": Alike(any_of(ONE, FAILED), [(X_TOKEN, 1, "none")], "passes", {"x-level-1": None}),
    "allow failed: none": Alike(FAILED, [], "passes"),
    "allow failed: good": Alike(FAILED, [(BEARER, 0, "none")], "passes", {"x-level-0": ["0"]}),
    "allow failed: expired": Alike(FAILED, [(BEARER, 0, "expired")], "passes", {"x-level-0": None}),
    "allow failed: garbage": Alike(FAILED, [(BEARER, 0, "garbage")], "passes", {"x-level-0": None}),
    "allow failed: one good, one bad": Alike(
        FAILED,
        [(BEARER, 0, "expired"), (X_TOKEN, 1, "none")],
        "passes",
        {"x-level-0": None, "x-level-1": ["1"]},
    ),
    "audiences of the rule": Alike(_WEB, [(BEARER, 0, "none")], "passes", claims={"aud": "web"}),
    "audiences of the rule alone": Alike(_WEB, [(BEARER, 0, "none")], "invalid"),
    "the provider's audiences": Alike(ONE, [(BEARER, 0, "none")], "invalid", claims={"aud": "web"}),
    "no audience": Alike(ONE, [(BEARER, 0, "no audience")], "invalid"),
    "another provider's token": Alike(ONE, [(BEARER, 2, "none")], "invalid"),
    "two good tokens": Alike(ONE, [(BEARER, 0, "none"), (PARAM, 0, "none")], "passes"),
    "a good and a bad token": Alike(ONE, [(BEARER, 0, "none"), (PARAM, 0, "expired")], "invalid"),
    "two segments": Alike(ONE, [(BEARER, 0, "two segments")], "invalid"),
    "named requirement": Alike("web", [(BEARER, 0, "none")], "passes", top={"requirement_map": {"web": ONE}}),
    "named requirement without a token": Alike("web", [], "missing", top={"requirement_map": {"web": ONE}}),
    "prefix": _matching(True, {"prefix": "/match"}, "/matching"),
    "prefix has a case": _matching(False, {"prefix": "/match"}, "/Match"),
    "prefix in any case": _matching(True, {"prefix": "/match", "case_sensitive": False}, "/MaTch/x"),
    "path": _matching(True, {"path": "/match"}, "/match", query=["a=1"]),
    "path is all of it": _matching(False, {"path": "/match"}, "/match/"),
    "path in any case": _matching(True, {"path": "/match", "case_sensitive": False}, "/MATCH"),
    "regex": _matching(True, {"safe_regex": {"regex": "/m[a-z]+"}}, "/match", query=["a=1"]),
    "regex is all of it": _matching(False, {"safe_regex": {"regex": "/m[a-z]+"}}, "/match/1"),
    "separated prefix": _matching(True, {"path_separated_prefix": "/match"}, "/match"),
    "separated prefix and a segment": _matching(True, {"path_separated_prefix": "/match"}, "/match/x"),
    "separated prefix and a query": _matching(True, {"path_separated_prefix": "/match"}, "/match", query=["a=1"]),
    "separated prefix and more": _matching(False, {"path_separated_prefix": "/match"}, "/matching"),
    "header": _matching(True, {"prefix": "/", "headers": _TENANT}, headers=[("x-tenant", "acme")]),
    "other header": _matching(False, {"prefix": "/", "headers": _TENANT}, headers=[("x-tenant", "acm")]),
    "query": _matching(True, {"prefix": "/", "query_parameters": _VERSION}, query=["a=1", "v=2"]),
    "other query": _matching(False, {"prefix": "/", "query_parameters": _VERSION}, query=["v=22"]),
    "header and query": _matching(
        True,
        {"prefix": "/", "headers": _TENANT, "query_parameters": _VERSION},
        headers=[("x-tenant", "acme")],
        query=["v=2"],
    ),
    "header without query": _matching(
        False, {"prefix": "/", "headers": _TENANT, "query_parameters": _VERSION}, headers=[("x-tenant", "acme")]
    ),
    "connect": _matching(True, {"connect_matcher": {}}, method="CONNECT"),
    "no connect": _matching(False, {"connect_matcher": {}}),
    "preflight": _cors("passes", _ORIGIN, _METHOD),
    "preflight where that is not configured": _cors("missing", _ORIGIN, _METHOD, bypass=False),
    "preflight without origin": _cors("missing", _METHOD),
    "preflight without method": _cors("missing", _ORIGIN),
    "preflight by another method": _cors("missing", _ORIGIN, _METHOD, method="GET"),
    "no rule": _matching(False, {"prefix": "/other"}),
}
