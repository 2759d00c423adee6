"""What has to be accepted: without these, refusing everything would pass."""

from .case import ACCEPT, recipe


@recipe("control", expect=ACCEPT)
def every_key(world):
    """One good token per algorithm and key."""
    for provider, keys in world.keys.items():
        for key in keys:
            for algorithm in _algorithms(provider, key):
                token = world.token(provider, key.kid, algorithm=algorithm)
                yield f"{provider}-{key.kid}-{algorithm}", token, {"provider": provider}


@recipe("control-header", expect=ACCEPT)
def harmless_headers(world):
    """Headers that say less, or more, than usual."""
    yield "no-kid", world.token(head={"kid": ...})
    yield "no-typ", world.token(head={"typ": ...})
    yield "at+jwt", world.token(head={"typ": "at+jwt"})
    yield "application", world.token(head={"typ": "application/AT+JWT"})
    yield "Ed25519", world.token(kid="ed", algorithm="EdDSA", head={"alg": "Ed25519"})
    yield "unknown-member", world.token(head={"x-note": {"a": [1, None]}})
    for member in ("jku", "x5u"):
        yield f"unused-{member}", world.token(head={member: "https://attacker.example/"})


@recipe("control-claims", expect=ACCEPT)
def harmless_claims(world):
    """Audiences in an array, and a token without the optional claims."""
    yield "audiences", world.token(aud=["other", "api"])
    yield "least", world.token(iat=..., nbf=...)
    yield "nested", world.token(realm_access={"roles": ["a", {"b": 1.5e3}]})


def _algorithms(provider, key):
    free = {"rsa": ["RS256", "PS256"], "ec": ["ES256"], "ed": ["EdDSA"], "oct": ["HS256"]}
    return [key.alg] if key.alg else free[key.kid]
