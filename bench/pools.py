"""Tokens by the ten thousand: minted once, kept in .work, all different, with claims of one length."""

import json
import multiprocessing
import os
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lab import tokens
from lab.keys import generate

FOLDER = Path(__file__).parents[1] / ".work/bench/tokens"
ISSUER, AUDIENCE = "https://issuer.example/", "api"
COUNT = 20_000
CLAIMS = 450  # bytes of the claims' JSON: tokens of 700 bytes with HS256 to 1000 with RS256
_LIFETIME, _RENEWAL = 30 * 86400, 20 * 86400
_NAME = 20  # bytes of a group's name, its quotes and its comma


@dataclass(frozen=True)
class Pool:
    """A file with a token per line, and the key that verifies them."""

    path: Path
    jwk: dict
    token_bytes: int


def pool(algorithm, claims=CLAIMS, count=COUNT):
    """Tokens with `claims` bytes of claims, signed with one key of the algorithm."""
    path = FOLDER / f"{algorithm}-{claims}-{count}.txt"
    if not path.exists() or time.time() - path.stat().st_mtime > _RENEWAL:
        _mint(algorithm, claims, count, path)
    with path.open() as lines:
        token_bytes = len(next(lines).strip())
    return Pool(path, json.loads(path.with_suffix(".json").read_text()), token_bytes)


def _mint(algorithm, size, count, path):
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"minting {count} {algorithm} tokens with {size} bytes of claims ...", file=sys.stderr, flush=True)
    key = generate(algorithm, algorithm.lower())
    workers = len(os.sched_getaffinity(0))
    # Forked, because private keys cannot be handed over otherwise.
    with multiprocessing.get_context("fork").Pool(workers, _take, (key, size)) as processes:
        lines = processes.map(_token, range(count), chunksize=100)
    path.with_suffix(".json").write_text(json.dumps(key.jwk()))
    path.write_text("\n".join(lines) + "\n")


def _take(key, size):
    global _key, _size
    _key, _size = key, size


def _token(number):
    """Claims such as OpenID providers issue; the groups make them as long as they have to be."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": f"user-{number:08}",
        "aud": AUDIENCE,
        "azp": "web",
        "iat": now,
        "exp": now + _LIFETIME,
        "jti": secrets.token_hex(8),
        "scope": "openid email",
        "email_verified": True,
        "groups": [],
    }
    claims["groups"] = _groups(_size - len(tokens.compact(claims)))
    return tokens.token(_key, tokens.header(_key), claims)


def _groups(room):
    """Names that take this room in a JSON list."""
    names, room = [], room + len(",")
    while room > 2 * _NAME:
        names.append(f"group-{len(names):03}-{'x' * (_NAME - 13)}")
        room -= _NAME
    return [*names, "y" * (room - len('"",'))] if room > 3 else names
