"""The single demands of a requirement, in the order in which jwt_authn looks at them."""

from dataclasses import dataclass

from . import places, rules

# jwt_authn refuses tokens with one of these, whatever the provider.
REFUSED = {
    *("other claims", "unknown kid", "other algorithm", "algorithm none", "name twice"),
    *("cut", "two segments", "garbage", "nothing"),
}


@dataclass(frozen=True)
class Part:
    """Tokens of these providers are looked at."""

    names: tuple
    providers: tuple
    audiences: object = None  # in the place of the provider's own
    is_wide: bool = False  # any provider will do
    may_fail: bool = False

    def sees(self, placed):
        """Whether it looks where the token stands."""
        where = {(place.kind, place.name) for provider in self.providers for place in places.of(provider)}
        return (placed.place.kind, placed.place.name) in where

    def verifies(self, placed):
        """The providers that may find the token good."""
        issued = [provider for provider in self.candidates(placed) if provider["local_jwks"] == placed.token.jwks]
        return issued if placed.token.flaw not in REFUSED else []

    def takes(self, placed):
        """Whether the token is gone once it has been verified: jwt_authn leaves cookies."""
        kept = placed.place.kind == "cookie" or all(provider.get("forward") for provider in self.verifies(placed))
        return not kept

    def is_foreign(self, placed):
        """Whether the token is not meant for this."""
        wanted = [self.audiences or provider.get("audiences") for provider in self.candidates(placed)]
        return any(audiences and not rules.audiences(placed.token) & set(audiences) for audiences in wanted)

    def candidates(self, placed):
        """The providers that accept the token's issuer."""
        issuers = (None, placed.token.claims.get("iss"))
        return [provider for provider in self.providers if provider.get("issuer") in issuers and self.sees(placed)]

    def writes(self, name):
        """Whether it may write this header."""
        return any(name in places.claim_headers(provider) for provider in self.providers)


def of(configuration, requirement):
    """The parts of a requirement."""
    every = configuration["providers"]
    if not requirement:
        return []
    [(kind, value)] = requirement.items()
    if kind == "provider_name":
        return [Part((value,), (every[value],))]
    if kind == "provider_and_audiences":
        name = value["provider_name"]
        return [Part((name,), (every[name],), value["audiences"])]
    if rules.is_exemption(requirement):
        return [Part(tuple(every), tuple(every.values()), None, True, kind == "allow_missing_or_failed")]
    inner = value["requirements"]
    if kind == "requires_any":
        # Beside others an exemption looks at no token.
        inner = [part for part in inner if not rules.is_exemption(part)] or inner
    return [part for requirement in inner for part in of(configuration, requirement)]
