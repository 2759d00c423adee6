"""Proofs of possession (RFC 9449): good ones by default, and every part of them open to forgery."""

import hashlib
import json
import time
import uuid

from lab.keys import base64url
from lab.tokens import token as sign

ORIGIN = "http://api.example"


def thumbprint(key):
    """The key's RFC 7638 thumbprint."""
    members = {name: value for name, value in key.jwk().items() if name in ("crv", "e", "kty", "n", "x", "y")}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(text.encode()).digest())


def public(key):
    """The key's public members."""
    return {name: value for name, value in key.jwk().items() if name not in ("kid", "alg", "use")}


def proof(key, token, path, *, head=None, algorithm=None, signer=None, **changes):
    """A good proof for a GET, but for the changes to its claims and its header (`head`); `...` removes a member."""
    header = {"typ": "dpop+jwt", "alg": key.alg, "jwk": public(key), **(head or {})}
    good = {
        "jti": str(uuid.uuid4()),
        "htm": "GET",
        "htu": ORIGIN + path.split("?", 1)[0],
        "iat": int(time.time()),
        "ath": base64url(hashlib.sha256(token.encode()).digest()),
    }
    members = [{n: v for n, v in part.items() if v is not ...} for part in (header, {**good, **changes})]
    return sign(signer or key, *members, algorithm or key.alg)


def presented(token, *proofs, scheme="DPoP"):
    """The headers with the token and its proofs."""
    return [("authorization", f"{scheme} {token}"), *(("dpop", proof) for proof in proofs)]
