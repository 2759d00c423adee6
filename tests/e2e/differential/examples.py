"""One example of every difference that is on purpose: what jwt_authn makes of it, and what jwt-warden does."""

import random
from dataclasses import dataclass, field

from .issuers import AUDIENCE
from .places import Place
from .requests import Request

BEARER = Place("header", "authorization", "Bearer ")
PARAM = Place("param", "access_token")
COOKIE = Place("cookie", "session")
X_TOKEN = Place("header", "x-token")
LITERAL = Place("header", "x-token", "jwt=")
P0 = {"provider_name": "p0"}
IN_X_TOKEN = {"from_headers": [{"name": "x-token"}]}


@dataclass
class Example:
    """`what` is compared, and what the two make of it; the rest says how the request is made."""

    what: str
    native: object
    warden: object
    flaw: str = "none"
    form: str = "plain"
    place: Place = BEARER
    path: str = "/"
    query: list = field(default_factory=list)  # what stands beside a token there
    header: str = ""
    claims: dict = field(default_factory=dict)
    provider: dict = field(default_factory=dict)  # changes to it; None takes a field away
    others: dict = field(default_factory=dict)  # a second provider, with these changes
    twice: Place = None  # where a second good token stands
    requires: dict = field(default_factory=lambda: {"provider_name": "p0"})
    spoofed: list = field(default_factory=list)
    method: str = "GET"

    def make(self, issuers):
        """The configuration, and the request."""
        rng = random.Random(1)
        spoofed = [(name, "made-up") for name in self.spoofed]
        request = Request(self.method, self.path, list(self.query), headers=spoofed)
        request.place(self.place, issuers.token(rng, 0, self.flaw, **{"level": 3, **self.claims}), self.form)
        if self.twice:
            request.place(self.twice, issuers.token(rng, 0, level=4))
        rules = [{"match": {"prefix": "/public"}}, {"match": {"prefix": "/"}, "requires": self.requires}]
        providers = {"p0": _provider(issuers, self.provider)}
        if self.others:
            providers["p1"] = _provider(issuers, self.others)
        return {"providers": providers, "rules": rules}, request


def _provider(issuers, changes):
    provider = {
        "issuer": issuers.names[0],
        "audiences": [AUDIENCE],
        "local_jwks": issuers.jwks(0),
        "claim_to_headers": [{"header_name": "x-level", "claim_name": "level"}],
        **changes,
    }
    return {name: value for name, value in provider.items() if value is not None}


def _group(kind, *requirements):
    return {kind: {"requirements": list(requirements)}}


def _refused(reason, **options):
    """What jwt_authn lets pass."""
    return Example("verdict", "passed", reason, **options)


EXAMPLES = {
    "path_ambiguous": _refused("path_ambiguous", path="/a/../b"),
    "audience_status": Example("status", 403, 401, flaw="other audience"),
    "audience_folded": _refused("audience_not_accepted", flaw="audience with scheme"),
    "type": _refused("type_not_accepted", flaw="other typ"),
    "critical": _refused("header_unsupported", flaw="critical extension"),
    "issued_in_future": _refused("issued_in_future", flaw="issued later"),
    "sender": _refused("sender_constraint", flaw="bound to a sender"),
    "empty_subject": _refused("claims_malformed", flaw="empty subject"),
    "one_form": _refused("token_malformed", flaw="one dot more"),
    "unsafe_claim": _refused("claim_unsafe", flaw="claim with a line break"),
    "twice_in_one_place": _refused("token_duplicated", place=PARAM, twice=PARAM),
    "cross_site": _refused("csrf_refused", place=COOKIE, method="POST", provider={"from_cookies": ["session"]}),
    "scheme_in_any_case": Example("verdict", "jwt_is_missing", "passed", form="lower case"),
    "prefix_at_the_beginning": _refused("token_missing", form="prefix later"),
    "bare_scheme": Example("error", False, True, flaw="nothing"),
    "literal_prefix": _refused(
        "token_malformed",
        place=LITERAL,
        form="two blanks",
        provider={"from_headers": [{"name": "x-token", "value_prefix": "jwt="}]},
    ),
    "encoded_token": _refused("token_malformed", place=PARAM, form="value encoded"),
    "seen_once": Example("verdict", "jwt_is_missing", "passed", requires=_group("requires_all", P0, P0)),
    "last_decides": _refused(
        "token_expired", place=PARAM, flaw="expired", twice=BEARER, requires={"allow_missing": {}}
    ),
    "claim_twin": Example("header", ["made-up"], [], header="x_level", spoofed=["x_level"]),
    "one_value": Example("header", ["3", "4"], ["3"], header="x-level", twice=PARAM),
    "claim_form": Example("header", ["-1.500000"], ["-1.5"], header="x-level", claims={"level": -1.5}),
    "empty_claim": Example("header", [], [""], header="x-level", claims={"level": ""}),
    "by_issuer": Example(
        "header",
        ["3"],
        [],
        place=X_TOKEN,
        header="x-level",
        requires={"allow_missing": {}},
        provider={**IN_X_TOKEN, "issuer": None, "claim_to_headers": []},
        others={"from_params": ["jwt"]},
    ),
    "told_at_once": Example(
        "header",
        ["4"],
        [],
        flaw="expired",
        header="x-level",
        requires=_group("requires_any", P0, {"allow_missing_or_failed": {}}),
        twice=PARAM,
    ),
    "cleared": Example(
        "header", [], ["3"], header="x-level", requires=_group("requires_all", P0, {"allow_missing": {}})
    ),
    "tokens_removed": Example(
        "header", ["a=1; session=TOKEN"], ["a=1"], place=COOKIE, header="cookie", provider={"from_cookies": ["session"]}
    ),
    "query_kept": Example("target", "/?v=2", "/?%76=2", place=PARAM, query=["%76=2"]),
    "other_prefix": Example(
        "header",
        ["jwt=TOKEN"],
        [],
        place=LITERAL,
        header="x-token",
        provider={"from_headers": [{"name": "x-token", "value_prefix": "jwt="}], "forward": True},
        others=IN_X_TOKEN,
    ),
}
