"""Tokens by the ten thousand: minted once, kept in .work, all different and all of one length."""

import json
import multiprocessing
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from lab import tokens
from lab.keys import base64url, generate

FOLDER = Path(__file__).parents[1] / ".work/bench/tokens"
ISSUER, AUDIENCE = "https://issuer.example/", "api"
COUNT = 20_000
SIZE = 800
_LIFETIME, _RENEWAL = 30 * 86400, 20 * 86400
_NAME = 20  # bytes of a group's name, its quotes and its comma


@dataclass(frozen=True)
class Pool:
    """A file with a token per line, and the key that verifies them."""

    path: Path
    jwk: dict


def pool(algorithm, size=SIZE, count=COUNT):
    """Tokens of `size` bytes, signed with one key of the algorithm."""
    path = FOLDER / f"{algorithm}-{size}-{count}.txt"
    if not path.exists() or time.time() - path.stat().st_mtime > _RENEWAL:
        _mint(algorithm, size, count, path)
    return Pool(path, json.loads(path.with_suffix(".json").read_text()))


def _mint(algorithm, size, count, path):
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"minting {count} {algorithm} tokens of {size} bytes ...", flush=True)
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
    """What an OpenID provider's access token holds; the groups make it as long as it has to be."""
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
    claims["groups"] = _groups(_room(claims))
    token = tokens.token(_key, tokens.header(_key), claims)
    assert abs(len(token) - _size) <= 2, f"{_key.alg} tokens of {_size} bytes cannot be made: {len(token)}"
    return token


def _room(claims):
    """How many bytes the payload lacks for the token to have the length that is wanted."""
    header = tokens.signing_input(tokens.header(_key), "")
    signature = base64url(_key.sign(_key.alg, b""))
    return (_size - len(header) - len(".") - len(signature)) * 3 // 4 - len(tokens.compact(claims))


def _groups(room):
    """Names that take this room in a JSON list."""
    names, room = [], room + len(",")
    while room > 2 * _NAME:
        names.append(f"group-{len(names):03}-{'x' * (_NAME - 13)}")
        room -= _NAME
    return [*names, "y" * (room - len('"",'))] if room > 3 else names
