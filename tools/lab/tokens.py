"""Tokens: good ones by default, and every byte of them open to forgery."""

import json
import time

from .keys import base64url


def compact(value):
    """A JSON text without spaces; bytes and text go through as they are, so that any bytes can be signed."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))).encode()


def claims(issuer, audience, **changes):
    """Good claims for an hour; `changes` are added, or removed where the value is `...`."""
    now = int(time.time())
    good = {"iss": issuer, "aud": audience, "sub": "alice", "iat": now, "nbf": now, "exp": now + 3600}
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def header(key, algorithm=None, **changes):
    """A good header for the key; `changes` are added, or removed where the value is `...`."""
    good = {"alg": algorithm or key.alg, "typ": "JWT", "kid": key.kid if key.kid is not None else ...}
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def signing_input(header, payload):
    """The first two segments: text."""
    return base64url(compact(header)) + "." + base64url(compact(payload))


def token(key, header, payload, algorithm=None):
    """A token signed with `algorithm`, by default the key's own, whatever the header says."""
    return sign_segments(key, signing_input(header, payload), algorithm)


def sign_segments(key, first_two, algorithm=None):
    """Signs any text as if it were the first two segments."""
    return first_two + "." + base64url(key.sign(algorithm or key.alg, first_two.encode()))
