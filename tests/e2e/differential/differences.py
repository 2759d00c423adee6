"""What jwt-warden does otherwise on purpose. Each row looks at the cause of a finding, not at the verdict alone; what
no row explains is a fault."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from . import places


@dataclass(frozen=True)
class Difference:
    """A row: `explains(case, finding)`."""

    name: str
    why: str
    explains: object


def explain(case, finding):
    """The first row that explains the finding, or None."""
    return next((difference for difference in DIFFERENCES if difference.explains(case, finding)), None)


def stricter(reason, *flaws):
    """jwt-warden refuses a token with one of these flaws, which jwt_authn accepts."""

    def explains(case, finding):
        spoiled = any(placed.token.flaw in flaws for placed in case.looked_at)
        return spoiled and _refused_here_alone(case, finding, reason)

    return explains


def _refused_here_alone(case, finding, reason):
    """The request was refused for this reason, or passed by another way and without this token's claims."""
    if finding.what == "verdict":
        return finding.native == "passed" and finding.warden == reason
    writes = {name for provider in case.asked for name in places.claim_headers(provider)}
    return finding.what == "header" and finding.name in writes and finding.warden == []


def _ambiguous_path(case, finding):
    segments = re.split(r"[/\\]", unquote(case.request.path))
    return any(segment in (".", "..") for segment in segments) and case.warden.reason == "path_ambiguous"


def _audience_status(case, finding):
    """Both refuse; jwt_authn, for the audience of this very token, with 403."""
    accepted = {audience for provider in case.asked for audience in provider.get("audiences", [])}
    accepted |= set(_overriding_audiences(case.requirement))
    foreign = [placed for placed in case.looked_at if not accepted >= _audiences(placed.token)]
    foreign = foreign or [placed for placed in case.looked_at if not _audiences(placed.token)]
    told = case.native.reason == "audiences_in_jwt_are_not_allowed"
    return finding.what == "status" and (finding.native, finding.warden) == (403, 401) and told and bool(foreign)


def _overriding_audiences(requirement):
    groups = [requirement[kind]["requirements"] for kind in ("requires_any", "requires_all") if kind in requirement]
    own = requirement.get("provider_and_audiences", {}).get("audiences", [])
    return [*own, *(audience for group in groups for inner in group for audience in _overriding_audiences(inner))]


def _audiences(token):
    audience = token.claims.get("aud", [])
    return set(audience if isinstance(audience, list) else [audience])


def _twice_in_one_place(case, finding):
    seen = [placed.place for placed in case.looked_at]
    return len(set(seen)) < len(seen) and case.warden.reason == "token_duplicated"


def _form(*forms):
    return lambda case: any(placed.form in forms for placed in case.looked_at)


_is_lower_case = _form("lower case")
_is_later = _form("prefix later", "prefix and dash")
_is_encoded = _form("value encoded")


def _scheme_in_any_case(case, finding):
    """jwt_authn does not see `bearer`; jwt-warden does, and judges the token."""
    if not _is_lower_case(case):
        return False
    if finding.what in ("verdict", "error"):
        return case.native.reason == "jwt_is_missing" or case.warden.reason != "token_missing"
    return False


def _prefix_at_the_beginning(case, finding):
    """jwt_authn takes a token behind a prefix anywhere in the value."""
    return _is_later(case) and finding.what in ("verdict", "error") and case.warden.reason == "token_missing"


def _bare_scheme(case, finding):
    """`Authorization: Bearer` is no token for jwt_authn, and an empty one for jwt-warden."""
    bare = any(placed.written + " " == placed.place.prefix for placed in case.looked_at)
    return bare and finding.what in ("verdict", "error") and case.warden.reason == "token_malformed"


def _literal_prefix(case, finding):
    """jwt_authn skips whatever cannot be in a token behind a prefix; only a scheme has blanks behind it here."""
    blanks = any(placed.form == "two blanks" and not placed.place.prefix.endswith(" ") for placed in case.looked_at)
    return blanks and finding.what == "verdict" and case.warden.reason == "token_malformed"


def _other_prefix(case, finding):
    """Two providers look in one header behind different prefixes, and only one of them forwards."""
    every = {place for provider in case.everyone for place in places.of(provider) if place.name == finding.name}
    return len(every) > 1 and finding.what == "header" and len(finding.native) > len(finding.warden)


def _encoded_token(case, finding):
    return _is_encoded(case) and finding.what == "verdict" and case.warden.reason == "token_malformed"


def _claim_twin(case, finding):
    """`x_user` is `x-user` to many an upstream: both names are the filter's."""
    every = {name for provider in case.everyone for name in places.claim_headers(provider)}
    twin = finding.what == "header" and finding.name not in every and finding.name.replace("_", "-") in every
    return twin and finding.native == ["made-up"] and finding.warden == []


def _one_value(case, finding):
    """Two tokens that set one header: jwt_authn appends the second, jwt-warden keeps the first."""
    written = {name for provider in case.asked for name in places.claim_headers(provider)}
    several = finding.what == "header" and finding.name in written and len(case.looked_at) > 1
    if not several or len(finding.native) < 2 or len(finding.warden) != 1:
        return False
    return any(_same(value, finding.warden[0]) for value in finding.native)


def _same(native, warden):
    return native == warden or _number(native, warden) or _json(native, warden)


def _claim_form(case, finding):
    """jwt_authn has its own way to write numbers, and JSON."""
    if finding.what != "header" or len(finding.native) != 1 or len(finding.warden) != 1:
        return False
    [native], [warden] = finding.native, finding.warden
    return _number(native, warden) or _json(native, warden)


def _number(native, warden):
    """`-1.000000` is -1."""
    written = re.fullmatch(r"-?\d+\.\d{6}", native) and re.fullmatch(r"-?\d+(\.\d+)?", warden)
    return written is not None and float(native) == float(warden)


def _json(native, warden):
    try:
        return json.loads(base64.b64decode(native, validate=True)) == json.loads(
            base64.b64decode(warden, validate=True)
        )
    except (binascii.Error, ValueError):
        return False


def _empty_claim(case, finding):
    """jwt_authn leaves the header out."""
    empty = any("" in placed.token.claims.values() for placed in case.looked_at)
    return finding.what == "header" and empty and finding.warden == [""]


def _tokens_removed(case, finding):
    """Tokens go from everywhere; jwt_authn removes those that a rule's providers verified, and no cookies."""
    if finding.what == "header" and finding.name == "cookie":
        return _without_tokens(case, "cookie", _cookies(finding.native), _cookies(finding.warden))
    if finding.what == "header":
        return _without_tokens(case, finding.name, _elements(finding.native), _elements(finding.warden))
    if finding.what == "target":
        (path, native), (other, warden) = _parameters(finding.native), _parameters(finding.warden)
        return path == other and _without_tokens(case, "target", native, warden)
    return False


def _without_tokens(case, where, native, warden):
    """Whether `warden` is `native` but for texts that are tokens and that nothing asks to forward."""
    rest = list(native)
    for text in warden:
        if text not in rest:
            return False
        rest.remove(text)
    removable = [
        placed.written for placed in case.request.placed if placed.where == where and not _forwarded(case, placed)
    ]
    return all(text in removable for text in rest)


def _forwarded(case, placed):
    """Whether a provider that verified it has `forward`; where no verification is asked for, whether any has that."""
    forwarding = [provider for provider in case.asked or case.everyone if provider.get("forward")]
    looking = [provider for provider in forwarding if placed.place in places.of(provider)]
    if not case.asked:
        return bool(looking)
    return any(provider.get("issuer") in (None, placed.token.claims.get("iss")) for provider in looking)


def _elements(values):
    """Envoy joins what stands in one header twice."""
    return [element for value in values for element in value.split(",")]


def _cookies(values):
    return [pair.strip() for value in values for pair in value.split(";")]


def _parameters(target):
    path, _, query = target.partition("?")
    return path, [f"{name}={value}" for name, value in parse_qsl(query, keep_blank_values=True)]


DIFFERENCES = [
    Difference("path_ambiguous", "a path with dot segments is refused", _ambiguous_path),
    Difference("audience_status", "a foreign audience is a bad token (401), no lack of rights (403)", _audience_status),
    Difference(
        "audience_folded",
        "audiences are compared letter by letter",
        stricter("audience_not_accepted", "audience with scheme"),
    ),
    Difference("type", "`typ` is heeded", stricter("type_not_accepted", "other typ")),
    Difference("critical", "`crit` is heeded", stricter("header_unsupported", "critical extension")),
    Difference(
        "issued_in_future", "`iat` is heeded", stricter("issued_in_future", "issued later", "issued a little later")
    ),
    Difference("sender", "`cnf` is heeded", stricter("sender_constraint", "bound to a sender")),
    Difference("empty_subject", "an empty `sub` names nobody", stricter("claims_malformed", "empty subject")),
    Difference(
        "one_form", "a token has one form", stricter("token_malformed", "blank within", "one dot more", "padded")
    ),
    Difference(
        "unsafe_claim",
        "a claim that would arrive as another does not pass",
        stricter("claim_unsafe", "claim with a line break", "claim with a blank at its end"),
    ),
    Difference("twice_in_one_place", "one place holds one token", _twice_in_one_place),
    Difference("scheme_in_any_case", "schemes have no case", _scheme_in_any_case),
    Difference("prefix_at_the_beginning", "the prefix stands at the beginning", _prefix_at_the_beginning),
    Difference("bare_scheme", "a scheme without a token is a malformed one", _bare_scheme),
    Difference("literal_prefix", "a prefix that is no scheme is taken literally", _literal_prefix),
    Difference("encoded_token", "a token has one form", _encoded_token),
    Difference("claim_twin", "claim headers are the filter's in every spelling", _claim_twin),
    Difference("one_value", "a claim header has one value", _one_value),
    Difference("claim_form", "claims are written as in the token", _claim_form),
    Difference("empty_claim", "an empty claim is a claim", _empty_claim),
    Difference("tokens_removed", "tokens go from every place on every route", _tokens_removed),
    Difference("other_prefix", "a header goes if any provider without `forward` finds a token in it", _other_prefix),
]
