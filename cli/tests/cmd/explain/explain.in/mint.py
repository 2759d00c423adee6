"""Writes the tokens beside it anew. The key is that of RFC 8037, appendix A: everybody has it: for tests alone."""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="))
NOW = 1_767_225_600  # 2026-01-01T00:00:00Z
HEADER = {"alg": "EdDSA", "typ": "JWT", "kid": "test-1"}
CLAIMS = {"iss": "https://acme.example/", "aud": "orders", "sub": "alice", "iat": NOW - 60, "exp": NOW + 3600}
TOKENS = {
    "good": ({}, {"scope": "read write", "tier": "gold"}),
    "wrong": ({}, {"aud": "billing", "exp": NOW - 86_400, "nbf": NOW + 7200, "scope": "read"}),
    "unknown_key": ({"kid": "test-9"}, {}),
    "hostile": ({"kid": "\x1b]0;owned\x07"}, {"sub": "\x1b[2J\x9b31m\u202egnirts", "\x1b[31mname": {"deep": ["\x7f"]}}),
}


def encoded(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header, claims):
    """A token with these changes."""
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in ({**HEADER, **header}, {**CLAIMS, **claims})]
    text = ".".join(map(encoded, parts))
    return f"{text}.{encoded(KEY.sign(text.encode()))}"


for name, changes in TOKENS.items():
    (Path(__file__).parent / f"{name}.jwt").write_text(token(*changes) + "\n")
