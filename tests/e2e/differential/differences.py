"""What jwt-warden does otherwise on purpose. Each row looks at the cause of a finding, not at the verdict alone; what
no row explains is a fault."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest

from . import places, promises, rules, trees

# Before, it differs in nearly every configuration, and no row is about that.
CLEARS_HEADERS = pytest.mark.since("1.40", "jwt_authn leaves headers in place that clients made up")


@dataclass(frozen=True)
class Difference:
    """A row: `explains(case, finding)`."""

    name: str
    why: str
    explains: object


def explain(case, finding):
    """The first row that explains the finding, or None; nothing explains what the documents do not promise."""
    if not _is_promised(case, finding):
        return None
    return next((difference for difference in DIFFERENCES if difference.explains(case, finding)), None)


def _is_promised(case, finding):
    """Whether jwt-warden's side of the finding is what the documents make of the request."""
    if case.warden.reason == "path_ambiguous":
        return True  # whatever is asked for
    if case.warden.reason == "csrf_refused":
        return case.promise.refused
    if finding.what == "verdict":
        return case.warden.passed != case.promise.refused
    if finding.what == "error":
        return finding.warden != case.promise.missing
    if finding.what == "header" and finding.name in case.written:
        told = case.promise.told(finding.name)
        return len(told) == len(finding.warden) and all(map(_same, told, finding.warden))
    return not any(_stays(case, finding, placed) for placed in case.request.placed if not _forwarded(case, placed))


def _stays(case, finding, placed):
    """Whether jwt-warden leaves this token in the part of the request that differs, though it looks there."""
    there = placed.where == (finding.name or finding.what) and placed.token.text in promises.texts(
        placed.place, case.request
    )
    return there and placed.token.text != "" and placed.token.text in str(finding.warden)


def flawed(reason, *flaws):
    """jwt-warden refuses a token with one of these flaws, which jwt_authn accepts."""
    return stricter(reason, lambda placed: placed.token.flaw in flaws)


def stricter(reason, cause):
    """jwt-warden refuses, for this reason, a token that `cause` picks, and jwt_authn takes it."""
    return lambda case, finding: any(map(cause, case.looked_at)) and _refused(case, finding, reason)


def _refused(case, finding, reason):
    """The request was refused for this reason, or, where there are several ways, it went another one."""
    told = case.warden.reason == reason
    several = len(case.parts) > 1 or any(part.is_wide for part in case.parts)
    if finding.what in ("verdict", "status", "error"):
        return told or (several and finding.what == "verdict" and case.native.passed)
    return finding.name in case.written and (finding.warden == [] or several)


def _ambiguous_path(case, finding):
    """An upstream may read the path so that another requirement, or none, would hold for it."""
    if case.warden.reason != "path_ambiguous":
        return False
    segments = [segment for path in rules.readings(case.request.path) for segment in path.split("/")]
    meanings = rules.meanings(case.configuration, case.request)
    return any(segment in (".", "..") for segment in segments) or any(other != meanings[0] for other in meanings)


def _audience_status(case, finding):
    """Both refuse; jwt_authn, for the audience of this very token, with 403."""
    told = case.native.reason == "audiences_in_jwt_are_not_allowed"
    foreign = (part.is_foreign(placed) for part in case.parts for placed in case.request.placed)
    return finding.what == "status" and (finding.native, finding.warden) == (403, 401) and told and any(foreign)


def _unsafe_claim(case, finding):
    """jwt_authn writes it all the same; Envoy does not send a header with a line break."""
    broken = any(placed.token.flaw == "claim with a line break" for placed in case.looked_at)
    unsent = broken and finding.what == "status" and (finding.native, finding.warden) == (503, 200)
    flaws = ("claim with a line break", "claim without its digits", "claim with a blank at its end")
    return unsent or flawed("claim_unsafe", *flaws)(case, finding)


def _twice_in_one_place(case, finding):
    """jwt_authn looks at the first parameter and cookie of a name, and at every header."""
    seen = [placed.place for placed in case.looked_at]
    return len(set(seen)) < len(seen) and _refused(case, finding, "token_duplicated")


def _cross_site(case, finding):
    """jwt_authn takes a cookie whatever page sent it."""
    cookies = [placed for placed in case.looked_at if placed.place.kind == "cookie"]
    return bool(cookies) and case.request.may_be_forged and _refused(case, finding, "csrf_refused")


def _form(*forms):
    return lambda placed: placed.form in forms


def _scheme_in_any_case(case, finding):
    """jwt_authn does not see `bearer`; jwt-warden does, and judges the token."""
    if not any(map(_form("lower case"), case.looked_at)):
        return False
    told = finding.what == "header" and finding.name in case.written and finding.native == []
    return told or (finding.what in ("verdict", "error") and case.warden.reason != "token_missing")


def _prefix_at_the_beginning(case, finding):
    """jwt_authn takes a token behind a prefix anywhere in the value."""
    later = [placed for placed in case.looked_at if placed.form in ("prefix later", "prefix and dash")]
    stays = finding.native == [] and any([placed.written] == finding.warden for placed in later)
    passes = finding.what == "verdict" and case.warden.passed  # for lack of a token
    return bool(later) and (_refused(case, finding, "token_missing") or stays or passes)


def _is_behind_blanks(placed):
    """jwt_authn skips whatever cannot be in a token behind a prefix; only a scheme has blanks behind it here."""
    return placed.form == "two blanks" and not placed.place.prefix.endswith(" ")


def _other_prefix(case, finding):
    """Two providers look in one header behind different prefixes, and only one of them forwards."""
    every = {place for provider in case.everyone for place in places.of(provider) if place.name == finding.name}
    removable = [placed.written for placed in case.request.placed if placed.where == finding.name]
    return len(every) > 1 and _is_less(_elements(finding.native), _elements(finding.warden), removable)


def _bare_scheme(case, finding):
    """`Authorization: Bearer` is no token for jwt_authn, and an empty one for jwt-warden."""
    bare = any(placed.written + " " == placed.place.prefix for placed in case.looked_at)
    return bare and finding.what in ("verdict", "error") and case.warden.reason == "token_malformed"


def _claim_twin(case, finding):
    """`x_user` is `x-user` to many an upstream: both names are the filter's."""
    every = {name for provider in case.everyone for name in places.claim_headers(provider)}
    twin = finding.what == "header" and finding.name not in every and finding.name.replace("_", "-") in every
    return twin and finding.native == ["made-up"] and finding.warden == []


def _one_value(case, finding):
    """Two tokens that set one header: jwt_authn appends the second, or has the second alone where the first lacks the
    claim; jwt-warden tells the first token's claim or none. (The promise is what the first token's claim is.)"""
    several = finding.name in case.written and len(case.looked_at) > 1
    if not several or len(finding.warden) > 1:
        return False
    if not finding.warden:
        return bool(finding.native)
    return len(finding.native) > 1 and any(_same(value, finding.warden[0]) for value in finding.native)


def _same(native, warden):
    return native == warden or _number(native, warden) or _json(native, warden)


def _claim_form(case, finding):
    """jwt_authn has its own way to write numbers, and JSON."""
    if finding.what != "header" or len(finding.native) != 1 or len(finding.warden) != 1:
        return False
    [native], [warden] = finding.native, finding.warden
    return _number(native, warden) or _json(native, warden)


def _number(native, warden):
    """`-1.000000` is -1, and a double has only some of the digits of a long number."""
    written = re.fullmatch(r"-?\d+(\.\d{6})?", native) and re.fullmatch(r"-?\d+(\.\d+)?", warden)
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


def _query_kept(case, finding):
    """Where jwt_authn takes a parameter out, it writes the others anew."""
    if finding.what != "target" or not any(placed.place.kind == "param" for placed in case.looked_at):
        return False
    (path, native), (other, warden) = _parameters(finding.native), _parameters(finding.warden)
    return path == other and sorted(native) == sorted(warden)


def _without_tokens(case, where, native, warden):
    """Whether `warden` is `native` but for texts that are tokens and that nothing asks to forward."""
    tokens = [placed for placed in case.request.placed if placed.where == where and not _forwarded(case, placed)]
    return _is_less(native, warden, [placed.written for placed in tokens])


def _is_less(native, warden, removable):
    rest = list(native)
    for text in warden:
        if text not in rest:
            return False
        rest.remove(text)
    return bool(rest) and all(text in removable for text in rest)


def _forwarded(case, placed):
    """Whether a provider that verified it has `forward`; where no verification is asked for, whether any has that."""
    if case.asked:
        return case.promise.keeps(placed.place)
    return any(provider.get("forward") and placed.place in places.of(provider) for provider in case.everyone)


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
        flawed("audience_not_accepted", "audience with scheme"),
    ),
    Difference("type", "`typ` is heeded", flawed("type_not_accepted", "other typ")),
    Difference("critical", "`crit` is heeded", flawed("header_unsupported", "critical extension")),
    Difference(
        "issued_in_future", "`iat` is heeded", flawed("issued_in_future", "issued later", "issued a little later")
    ),
    Difference("sender", "`cnf` is heeded", flawed("sender_constraint", "bound to a sender")),
    Difference("empty_subject", "an empty `sub` names nobody", flawed("claims_malformed", "empty subject")),
    Difference("one_form", "a token has one form", flawed("token_malformed", "blank within", "one dot more", "padded")),
    Difference(
        "unsafe_claim",
        "a claim that would arrive as another does not pass",
        _unsafe_claim,
    ),
    Difference("twice_in_one_place", "one place holds one token", _twice_in_one_place),
    Difference("cross_site", "a cookie may be sent by another site's page", _cross_site),
    Difference("scheme_in_any_case", "schemes have no case", _scheme_in_any_case),
    Difference("prefix_at_the_beginning", "the prefix stands at the beginning", _prefix_at_the_beginning),
    Difference("bare_scheme", "a scheme without a token is a malformed one", _bare_scheme),
    Difference(
        "literal_prefix",
        "a prefix that is no scheme is taken literally",
        stricter("token_malformed", _is_behind_blanks),
    ),
    Difference("encoded_token", "a token has one form", stricter("token_malformed", _form("value encoded"))),
    Difference("told_at_once", "claims are told of what let the request pass", trees.told_at_once),
    Difference("cleared", "what was verified is told", trees.cleared),
    Difference("seen_once", "every part sees every token", trees.seen_once),
    Difference("last_decides", "all tokens have to be good", trees.last_decides),
    Difference("claim_twin", "claim headers are the filter's in every spelling", _claim_twin),
    Difference("one_value", "a claim header has one value", _one_value),
    Difference("claim_form", "claims are written as in the token", _claim_form),
    Difference("empty_claim", "an empty claim is a claim", _empty_claim),
    Difference("by_issuer", "a token counts for a provider that looks where it stands", trees.by_issuer),
    Difference("tokens_removed", "tokens go from every place on every route", _tokens_removed),
    Difference("query_kept", "what stands beside a token stays as it came", _query_kept),
    Difference("other_prefix", "a header goes if any provider without `forward` finds a token in it", _other_prefix),
]
