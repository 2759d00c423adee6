"""Who issues the tokens, and the tokens: good ones, and ones with exactly one flaw."""

import json
import secrets
import time
from dataclasses import dataclass

from lab.keys import EcKey, HmacKey, RsaKey, from_base64url
from lab.tokens import compact, sign_segments, signing_input
from support.secrets import remember_tokens

AUDIENCE = "api"
SUBJECT = "alice@one.example"
# No number is near a bound: a run takes minutes, and its verdicts must not change meanwhile.
LITTLE, MUCH, HOUR = 300, 7000, 3600


@dataclass
class Token:
    """A token, and what its maker knows of it."""

    text: str
    flaw: str
    issuer: int  # whose it pretends to be
    header: dict
    claims: dict
    jwks: dict  # the local set with the key that signed it


class Issuers:
    """Three issuers. Their keys have the same names, so that only the key itself tells them apart."""

    def __init__(self):
        self.names = [f"https://{name}.example/" for name in ("one", "two", "three")]
        self._keys = [_keys() for _ in self.names]

    def jwks(self, issuer):
        """The issuer's key set, as a local one."""
        return {"inline_string": json.dumps({"keys": [key.jwk() for key in self._keys[issuer]]})}

    def token(self, rng, issuer, flaw="none", **changes):
        """A token with this flaw; `changes` to its claims."""
        key = rng.choice(self._keys[issuer])
        now = int(time.time())
        claims = {"iss": self.names[issuer], "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "nbf": now, "exp": now + HOUR}
        head = {"alg": key.alg, "kid": key.kid, "typ": "JWT"}
        parts = Parts(rng, self, issuer, key, head, {**claims, **changes}, now)
        FLAWS[flaw](parts)
        remember_tokens(parts.text().encode())
        return Token(parts.text(), flaw, issuer, parts.header, _claims_of(parts.text()), self.jwks(parts.signer))

    def key_like(self, issuer, like):
        """The issuer's key of the same name and kind."""
        return next(key for key in self._keys[issuer] if key.kid == like.kid)


class Parts:
    """A token in the making."""

    def __init__(self, rng, issuers, issuer, key, header, claims, now):
        self.rng, self.issuers, self.signer, self.key = rng, issuers, issuer, key
        self.header, self.claims, self.now = header, claims, now
        self.finish = lambda text: text
        self._text = None

    def text(self):
        """The compact form; made once, since ECDSA is not deterministic."""
        if self._text is None:
            signed = sign_segments(self.key, signing_input(self.header, self.claims), self.key.alg)
            self._text = self.finish(signed)
        return self._text


def _claims_of(text):
    """The claims as they stand in the token; none if it has no such form."""
    try:
        return json.loads(from_base64url(text.split(".")[1]))
    except (IndexError, ValueError):
        return {}


def _keys():
    return [
        RsaKey(kid="rs", alg="RS256"),
        EcKey("P-256", "es", "ES256"),
        HmacKey(secrets.token_bytes(32), "hs", "HS256"),
    ]


def _claim(**changes):
    """A flaw in the claims: a function makes the value, `...` removes it."""

    def spoil(parts):
        for name, value in changes.items():
            parts.claims[name] = value(parts) if callable(value) else value
            if value is ...:
                del parts.claims[name]

    return spoil


def _header(**changes):
    """A flaw in the header."""

    def spoil(parts):
        parts.header = {name: value for name, value in {**parts.header, **changes}.items() if value is not ...}

    return spoil


def _text(change):
    """A flaw in the compact form."""

    def spoil(parts):
        parts.finish = change

    return spoil


def _at(offset):
    return lambda parts: parts.now + offset


def _wrong_key(parts):
    parts.signer = (parts.signer + 1) % len(parts.issuers.names)
    parts.key = parts.issuers.key_like(parts.signer, parts.key)


def _other_algorithm(parts):
    parts.header["alg"] = {"RS256": "ES256", "ES256": "HS256", "HS256": "RS256"}[parts.key.alg]


def _other_claims(text):
    head, _, signature = text.split(".")
    return f"{head}.{signing_input('', {'iss': 'https://one.example/', 'sub': 'root'})[1:]}.{signature}"


def _name_twice(parts):
    parts.claims = compact(parts.claims).decode()[:-1] + ',"sub":"root"}'


FLAWS = {
    "none": lambda parts: None,
    "expired a little": _claim(exp=_at(-LITTLE)),
    "expired": _claim(exp=_at(-MUCH)),
    "without exp": _claim(exp=...),
    "exp far off": _claim(exp=_at(50 * HOUR)),
    "exp in quotes": _claim(exp=lambda parts: str(parts.now + HOUR)),
    "valid a little later": _claim(nbf=_at(LITTLE)),
    "valid later": _claim(nbf=_at(MUCH)),
    "issued a little later": _claim(iat=_at(LITTLE)),
    "issued later": _claim(iat=_at(MUCH)),
    "other audience": _claim(aud="other"),
    "no audience": _claim(aud=...),
    "several audiences": _claim(aud=["other", AUDIENCE]),
    "audience with scheme": _claim(aud=f"https://{AUDIENCE}/"),
    "other issuer": _claim(iss="https://nobody.example/"),
    "no issuer": _claim(iss=...),
    "other subject": _claim(sub="mallory@two.example"),
    "subject in capitals": _claim(sub=SUBJECT.upper()),
    "no subject": _claim(sub=...),
    "empty subject": _claim(sub=""),
    "bound to a sender": _claim(cnf={"jkt": "x" * 43}),
    "claim with a line break": _claim(level="a\r\nx-evil: 1"),
    "claim without its digits": _claim(level=10**30),
    "claim with a blank at its end": _claim(level="a "),
    "wrong key": _wrong_key,
    "other claims": _text(_other_claims),
    "unknown kid": _header(kid="unknown"),
    "no kid": _header(kid=...),
    "kid is null": _header(kid=None),
    "other algorithm": _other_algorithm,
    "algorithm none": _header(alg="none"),
    "access token": _header(typ="at+jwt"),
    "no typ": _header(typ=...),
    "other typ": _header(typ="secevent+jwt"),
    "critical extension": _header(crit=["x"], x=1),
    "name twice": _name_twice,
    "cut": _text(lambda text: text[:-2]),
    "one dot more": _text(lambda text: text + "."),
    "padded": _text(lambda text: text + "="),
    "two segments": _text(lambda text: text.rpartition(".")[0]),
    "blank within": _text(lambda text: text[:-8] + " " + text[-8:]),
    "garbage": _text(lambda text: "garbage"),
    "nothing": _text(lambda text: ""),
}
