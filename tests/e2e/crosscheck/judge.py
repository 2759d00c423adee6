"""The other library's judgement, as strict as its options make it."""

import base64
import json

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry

from lab.keys import ALGORITHMS

from .tokens import AUDIENCE, ISSUER, SKEW


class Judge:
    """joserfc with the provider's keys and demands."""

    def __init__(self, jwks, now):
        self.keys = {key["kid"]: import_key(key) for key in jwks["keys"]}
        # Members that the library does not know are nothing to refuse (RFC 7515 section 4).
        self.registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        self.claims = jwt.JWTClaimsRegistry(
            now=now,
            leeway=SKEW,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
        )

    def accepts(self, token):
        """Whether it is good, and if so what was read."""
        try:
            read = jwt.decode(token, self.key_of, registry=self.registry)
            self.claims.validate(read.claims)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None
        return read

    def key_of(self, token):
        """The key of that name; without a name that of the algorithm, where the library would take any."""
        headers = token.headers()
        return self.keys[headers.get("kid", headers["alg"])]


def strictness(reason, read, token):
    """Why the filter refuses what the library takes: the words of the documents, or None where there are none."""
    header, claims = read.header, read.claims
    kinds = {
        "type_not_accepted": lambda: (
            (header.get("typ") or "").lower().removeprefix("application/") not in ("jwt", "at+jwt")
        ),
        "header_unsupported": lambda: "zip" in header or header.get("cty", "").lower() == "jwt",
        "header_malformed": lambda: not all(isinstance(header.get(name, ""), str) for name in ("typ", "kid", "cty")),
        "token_malformed": lambda: not is_canonical(token),
        "claims_malformed": lambda: is_odd(claims, token),
        "claim_unsafe": lambda: (
            any(ord(c) < 32 for c in str(claims.get("sub"))) or str(claims["sub"]).strip() != claims["sub"]
        ),
        "key_unknown": lambda: "kid" in header,
    }
    return reason if kinds.get(reason, lambda: False)() else None


def is_canonical(token):
    """Whether the segments are base64url without padding, and without bits that nobody reads."""

    def same(segment):
        octets = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        return base64.urlsafe_b64encode(octets).rstrip(b"=").decode() == segment

    return all(same(segment) for segment in token.split("."))


def is_odd(claims, token):
    """Whether a claim is of a type, a depth or a size that the filter does not take, or stands twice."""
    text = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    twice = len(json.loads(text, object_pairs_hook=list)) != len(claims)
    dates = [claims[name] for name in ("exp", "nbf", "iat") if name in claims]
    out_of_range = any(not 0 <= date <= 253402300799 for date in dates if isinstance(date, int | float))
    not_a_date = any(isinstance(date, bool) or not isinstance(date, int | float) for date in dates)
    no_text = any(not isinstance(claims.get(name, ""), str) for name in ("iss", "sub", "jti", "azp"))
    return twice or out_of_range or not_a_date or no_text or claims.get("sub") == "" or depth(claims) > 32


def depth(value):
    """How many arrays and objects are within each other."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)
