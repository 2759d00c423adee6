"""What jwt-warden promises to make of a request, by its documents: whose tokens let it pass, and what they tell."""

import base64
import json
from dataclasses import dataclass
from urllib.parse import unquote

from . import places, rules
from .issuers import HOUR, LITTLE, MUCH

# So far off in time: the clocks may differ by more.
OFF = {
    **dict.fromkeys(["expired a little", "valid a little later", "issued a little later"], LITTLE),
    **dict.fromkeys(["expired", "valid later", "issued later"], MUCH),
}
# What a header cannot tell.
UNTOLD = {"claim with a line break", "claim without its digits", "claim with a blank at its end"}
# Flaws that a provider's settings decide about, or none at all.
DECIDED = {
    *OFF,
    *UNTOLD,
    *("none", "without exp", "exp far off", "other audience", "no audience", "several audiences"),
    *("audience with scheme", "other issuer", "no issuer", "other subject", "subject in capitals", "no subject"),
    *("wrong key", "no kid", "access token", "no typ"),
}


@dataclass(frozen=True)
class Admitted:
    """A token that passed."""

    provider: dict
    token: object
    place: places.Place


class RefusedError(Exception):
    """A request that does not pass."""

    def __init__(self, missing):
        super().__init__()
        self.missing = missing  # whether no token is there at all


@dataclass
class Promise:
    """What becomes of a request."""

    admitted: list
    refused: bool = False
    missing: bool = False

    def told(self, name):
        """The values of this header: those of the first token whose provider tells it, claim or no claim."""
        telling = (one for one in self.admitted if _tells(one.provider, name))
        return next((_told(one, name) for one in telling), [])

    def keeps(self, place):
        """Whether the token at this place goes upstream."""
        return any(one.place == place and one.provider.get("forward") for one in self.admitted)


def of(configuration, request, requirement):
    """The promise for a request of which this is asked."""
    if not requirement:
        return Promise([])
    try:
        return Promise(Meeting(configuration["providers"], request).meet(requirement))
    except RefusedError as refusal:
        return Promise([], True, refusal.missing)


class Meeting:
    """A request against requirements."""

    def __init__(self, providers, request):
        self.providers, self.request = providers, request
        self.tokens = {placed.token.text: placed.token for placed in request.placed}

    def meet(self, requirement):
        """The tokens that passed."""
        [(kind, value)] = requirement.items()
        if kind == "provider_name":
            return self._provider(self.providers[value], None)
        if kind == "provider_and_audiences":
            return self._provider(self.providers[value["provider_name"]], value["audiences"])
        if kind == "requires_all":
            return [admitted for part in value["requirements"] for admitted in self.meet(part)]
        if kind == "requires_any":
            return self._any(value["requirements"])
        return self._everyone(kind == "allow_missing_or_failed")

    def _any(self, requirements):
        parts = [part for part in requirements if not rules.is_exemption(part)]
        exemptions = {kind for part in requirements if part not in parts for kind in part}
        if not parts:
            return self._everyone("allow_missing_or_failed" in exemptions)
        missing = True
        for part in parts:
            try:
                return self.meet(part)
            except RefusedError as refusal:
                missing = missing and refusal.missing
        if "allow_missing_or_failed" in exemptions or (missing and exemptions):
            return []
        raise RefusedError(missing)

    def _provider(self, provider, audiences):
        admitted = []
        for place in places.of(provider):
            for token in self._found(place):
                if token is None or not accepts(provider, audiences, token):
                    raise RefusedError(False)
                admitted.append(Admitted(provider, token, place))
        if not admitted:
            raise RefusedError(True)
        return admitted

    def _everyone(self, failures):
        """Each token counts for the first provider that looks there and accepts it; none may fail, or all may."""
        admitted = []
        for place in dict.fromkeys(place for provider in self.providers.values() for place in places.of(provider)):
            looking = [provider for provider in self.providers.values() if place in places.of(provider)]
            for token in self._found(place):
                accepting = [provider for provider in looking if token and accepts(provider, None, token)]
                if not accepting and not failures:
                    raise RefusedError(False)
                admitted += [Admitted(provider, token, place) for provider in accepting[:1]]
        return admitted

    def _found(self, place):
        """The token there; None stands for what is none, and for several."""
        found = list(texts(place, self.request))
        if place.kind == "cookie" and self.request.may_be_forged:
            return [None] if found else []
        return [self.tokens.get(found[0]) if len(found) == 1 else None] if found else []


def texts(place, request):
    """What stands at a place."""
    if place.kind == "param":
        pairs = (text.partition("=") for text in request.query)
        yield from (value for name, _, value in pairs if unquote(name) == place.name)
    for name, value in request.headers:
        if place.kind == "cookie" and name == "cookie":
            pairs = (pair.strip().partition("=") for pair in value.split(";"))
            yield from (text.strip('"') for cookie, _, text in pairs if cookie == place.name)
        if place.kind == "header" and name.lower() == place.name:
            text = _behind(place.prefix, value)
            yield from [] if text is None else [text]


def _behind(prefix, value):
    scheme = prefix.rstrip(" ")
    if scheme == prefix:
        return value.removeprefix(prefix) if value.startswith(prefix) else None
    name, _, rest = value.partition(" ")
    return rest.lstrip(" ") if name.lower() == scheme.lower() else None


def accepts(provider, audiences, token):
    """Whether the token is good for this provider, with these audiences in the place of its own."""
    wanted = audiences or provider.get("audiences")
    return (
        token.flaw in DECIDED
        and provider.get("issuer") in (None, token.claims.get("iss"))
        and token.jwks == provider["local_jwks"]
        and (wanted is None or bool(rules.audiences(token) & set(wanted)))
        and _in_time(provider, token)
        and _is_about(provider, token)
        and not (token.flaw in UNTOLD and "level" in _claims(provider).values())
    )


def _in_time(provider, token):
    lifetime = provider.get("max_lifetime")
    if token.flaw == "without exp":
        return lifetime is None and not provider.get("require_expiration")
    if token.flaw == "exp far off" and lifetime and int(lifetime[:-1]) < 50 * HOUR:
        return False
    return OFF.get(token.flaw, 0) < provider.get("clock_skew_seconds", 60)


def _is_about(provider, token):
    wanted, subject = provider.get("subjects"), token.claims.get("sub")
    return wanted is None or (subject is not None and rules.is_match(wanted, subject))


def _claims(provider):
    return {claim["header_name"]: claim["claim_name"] for claim in provider.get("claim_to_headers", [])}


def _tells(provider, name):
    return name == provider.get("forward_payload_header") or name in _claims(provider)


def _told(admitted, name):
    provider, claims = admitted.provider, admitted.token.claims
    if name == provider.get("forward_payload_header"):
        payload = admitted.token.text.split(".")[1]
        return [payload + "=" * (-len(payload) % 4) if provider.get("pad_forward_payload_header") else payload]
    value = claims
    for member in _claims(provider)[name].split(".") if name in _claims(provider) else ():
        value = value.get(member) if isinstance(value, dict) else None
    return [] if value is None or value is claims else [_text(value)]


def _text(value):
    if isinstance(value, str):
        return value
    text = json.dumps(value, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode() if isinstance(value, list | dict) else text
