"""The issuers' keys, and the requests with their tokens."""

import itertools
import secrets

from lab import tokens
from lab.keys import base64url, generate

AUDIENCE = "api"
USER_HEADER = "x-user"


class Issuer:
    """An issuer of the soak's own, with the keys that sign by name."""

    def __init__(self, name, *algorithms):
        self.name = name
        self.issuer = f"https://{name}.example/"
        self._keys, self._users = itertools.count(), itertools.count()
        self.keys = [self.new_key(algorithm) for algorithm in algorithms]

    def new_key(self, algorithm):
        """A key with a name that no other has had."""
        return generate(algorithm, f"{self.name}-{next(self._keys)}")

    def token(self, key, head=None, **changes):
        """A good token of a new user, but for the changes; and the user."""
        user = changes.setdefault("sub", f"user-{next(self._users)}")
        header = tokens.header(key, **(head or {}))
        return tokens.token(key, header, tokens.claims(self.issuer, AUDIENCE, **changes), key.alg), user

    def good(self, number, key=None, path=None, **changes):
        """Requests with good tokens, each of another user, of one key or of all in turn."""
        keys = itertools.cycle([key] if key else self.keys)
        return [request(*self.token(next(keys), **changes), path or f"/{self.name}/") for _ in range(number)]

    def bad(self, number, key=None, **changes):
        """Requests with tokens that are to be refused."""
        return [(data, None) for data, _ in self.good(number, key, **changes)]

    def forged(self, number, key, **changes):
        """The same, signed by somebody else's key of the same name."""
        other = generate(key.alg, key.kid)
        return self.bad(number, other, **changes)

    def unsigned(self, number):
        """The same, with `none` for an algorithm."""
        made = (self.token(self.keys[0], head={"alg": "none"})[0] for _ in range(number))
        return [request(token.rsplit(".", 1)[0] + ".", None, f"/{self.name}/") for token in made]

    def unknown(self, number):
        """Tokens of keys that nobody has: each names another one."""
        return [request(self._unknown(), None, f"/{self.name}/") for _ in range(number)]

    def _unknown(self):
        header = {"alg": "ES256", "typ": "JWT", "kid": secrets.token_hex(8)}
        payload = tokens.claims(self.issuer, AUDIENCE)
        return f"{tokens.signing_input(header, payload)}.{base64url(secrets.token_bytes(64))}"


def request(token, user, path, client=None):
    """The bytes of a request on a connection that is kept, and the user that the upstream has to be told."""
    lines = [f"GET {path} HTTP/1.1", "host: api.example"]
    lines += [f"authorization: Bearer {token}"] if token else []
    lines += [f"x-forwarded-for: {client}"] if client else []
    # What a client says of itself must never be told.
    lines += [f"{USER_HEADER}: mallory"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode(), user


def of_client(requests, client):
    """The same requests, from this client."""
    line = f"x-forwarded-for: {client}\r\n\r\n".encode()
    return [(data[:-2] + line, user) for data, user in requests]
