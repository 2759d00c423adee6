"""The issuers of the tests, their keys, and the configuration that trusts them."""

import json
import secrets

from lab.keys import ALGORITHMS, EcKey, Ed25519Key, HmacKey, RsaKey, base64url, generate
from lab.tokens import claims, header, token

from .secrets import remember

AUDIENCE = "api"
ASYMMETRIC = [name for name in ALGORITHMS if not name.startswith("HS")]


class World:
    """Four providers: `a` has keys of every asymmetric kind, `b` has a key under the same kid, `hs` has shared
    secrets, and `mixed` is the careless one: public keys and a shared secret, none of which names its algorithm."""

    def __init__(self):
        rsa = RsaKey()
        # One modulus under several names is enough: what counts is the algorithm that each JWK names.
        pinned = [rsa.renamed(a.lower(), a) if a[:2] in ("RS", "PS") else generate(a, a.lower()) for a in ASYMMETRIC]
        free = [rsa.renamed("rsa", None), EcKey("P-256", "ec"), Ed25519Key("ed")]
        self.keys = {
            "a": [*pinned, *free],
            "b": [RsaKey(kid="rs256", alg="RS256"), EcKey("P-256", "es256-b", "ES256")],
            # 64 bytes each: long enough for every hash, so that only the JWK's `alg` stands in the way.
            "hs": [HmacKey(secrets.token_bytes(64), f"hs{bits}", f"HS{bits}") for bits in (256, 384, 512)],
            "mixed": [RsaKey(kid="rsa"), EcKey("P-256", "ec"), Ed25519Key("ed"), _oct("oct")],
        }
        for key in [*self.keys["hs"], self.key("mixed", "oct")]:
            remember(base64url(key.secret))

    def key(self, provider, kid):
        """The provider's key of that name."""
        return next(key for key in self.keys[provider] if key.kid == kid)

    def issuer(self, provider):
        """The provider's `iss`."""
        return f"https://{provider}.example/"

    def claims(self, provider="a", **changes):
        """Good claims."""
        return claims(self.issuer(provider), AUDIENCE, **changes)

    def token(self, provider="a", kid="rs256", *, algorithm=None, head=None, key=None, **changes):
        """A good token, but for the changes to the claims, the header (`head`) and the key that signs."""
        named = self.key(provider, kid)
        algorithm = algorithm or named.alg
        signer = key or named
        return token(signer, header(named, algorithm, **(head or {})), self.claims(provider, **changes), algorithm)

    def provider(self, name, **changes):
        """The provider's configuration."""
        return {
            "issuer": self.issuer(name),
            "audiences": [AUDIENCE],
            "local_jwks": {"inline_string": jwks(self.keys[name])},
            "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
            **changes,
        }

    def configuration(self, **changes):
        """Rules by prefix: /a, /b, /hs and /mixed ask for their provider, /public for nothing."""
        providers = {
            "a": self.provider("a"),
            "b": self.provider("b"),
            "hs": self.provider("hs", algorithms=["HS256", "HS384", "HS512"]),
            "mixed": self.provider("mixed", algorithms=["RS256", "PS256", "ES256", "EdDSA", "HS256"]),
        }
        rules = [rule(f"/{name}/", name) for name in providers]
        return {"providers": providers, "rules": [*rules, {"match": {"prefix": "/public"}}], **changes}


def rule(prefix, provider):
    """A rule that asks for the provider."""
    return {"match": {"prefix": prefix}, "requires": {"provider_name": provider}}


def jwks(keys):
    """The keys' JWKS document."""
    return json.dumps({"keys": [key.jwk() for key in keys]})


def _oct(kid):
    return HmacKey(secrets.token_bytes(32), kid)
