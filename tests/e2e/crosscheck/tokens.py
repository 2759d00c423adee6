"""Random tokens by joserfc: good ones, near misses, and ones that were changed afterwards."""

import json
import random
from dataclasses import dataclass

from joserfc import jwk, jws

from lab.keys import ALGORITHMS, HmacKey, base64url, from_base64url
from lab.tokens import sign_segments

ISSUER, AUDIENCE = "https://cross.example/", "api"
SKEW = 60
# Never so near to a bound that the time of the request matters.
NEAR = 45
ODD = ["", " ", "é\u4e2d\U0001f600", "a\u0000b", "a\tb", '"\\', "x" * 300, "null", "\u202e", "Api", "api "]


@dataclass(frozen=True)
class Case:
    """A token, and what was done to it."""

    token: str
    form: str


class Mint:
    """Keys for every algorithm, and the tokens that a seed gives."""

    def __init__(self, seed, now):
        self.random = random.Random(seed)
        self.now = now
        rsa = jwk.RSAKey.generate_key(2048)
        curves = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
        self.keys = {algorithm: jwk.ECKey.generate_key(curve) for algorithm, curve in curves.items()}
        self.keys["EdDSA"] = jwk.OKPKey.generate_key("Ed25519")
        self.keys |= {f"{family}{bits}": rsa for family in ("RS", "PS") for bits in (256, 384, 512)}
        self.keys |= {f"HS{bits}": jwk.OctKey.generate_key(512) for bits in (256, 384, 512)}
        self.stranger = {"ES256": jwk.ECKey.generate_key("P-256"), "HS256": jwk.OctKey.generate_key(512)}

    def jwks(self):
        """The key set: each key under the name of its algorithm and for it alone."""
        members = {"use": "sig"}
        public = {a: k.as_dict(private=a.startswith("HS")) for a, k in self.keys.items()}
        return {"keys": [{**key, **members, "kid": name, "alg": name} for name, key in public.items()]}

    def case(self):
        """The next case."""
        algorithm = self.random.choice(ALGORITHMS)
        token = self.sign(algorithm, self.header(algorithm), self.claims())
        if self.random.random() < 0.6:
            return Case(token, "minted")
        change = self.random.choice([flipped, cut, swapped, padded, spliced, twinned, unsigned, confused, repeated])
        return Case(change(self, token), change.__name__)

    def sign(self, algorithm, header, claims):
        """A compact JWS of the library's."""
        key = self.keys[algorithm]
        if algorithm in self.stranger and self.random.random() < 0.05:
            key = self.stranger[algorithm]
        registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        payload = json.dumps(claims, ensure_ascii=self.random.random() < 0.5).encode("utf-8", "surrogatepass")
        try:
            return jws.serialize_compact(header, payload, key, registry=registry)
        except (ValueError, TypeError) as refused:
            raise AssertionError(f"{header} was not signed: {refused}") from refused

    def header(self, algorithm):
        """Mostly a good one."""
        header = {"alg": algorithm, "kid": algorithm, "typ": "JWT"}
        changes = [
            {"typ": "at+jwt"},
            {"typ": "application/JWT"},
            {"typ": "logout+jwt"},
            {"kid": "unknown"},
            {"cty": "json"},
            {"cty": "JWT"},
            {"jku": "https://evil.example/jwks"},
            {"x5t": "AAAA"},
            {"zip": "DEF"},
            {"x-private": [1, {"a": None}]},
            {"jwk": self.stranger["ES256"].as_dict(private=False)},
            {"typ": self.random.choice(ODD)},
        ]
        if self.random.random() < 0.3:
            header |= self.random.choice(changes)
        for name in ("kid", "typ"):
            if self.random.random() < 0.03:
                header.pop(name)
        return header

    def claims(self):
        """Mostly good ones."""
        pick, near = self.random.choice, self.random.randint(NEAR, SKEW - 1)
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": self.now + 3600, "iat": self.now}
        past, future = self.now - SKEW, self.now + SKEW
        changes = {
            "exp": [
                past - near,
                past + near,
                past + near + 0.5,
                0,
                -1,
                1e20,
                "1",
                str(self.now + 9),
                None,
                True,
                1.5e308,
            ],
            "nbf": [future - near, future + near, future + near + 0.25, self.now, "0", None, False, -5],
            "iat": [future - near, future + near, 0, [], None, self.now - 1e6],
            "aud": [[AUDIENCE], ["x", AUDIENCE], [AUDIENCE, 1], [], {}, "Api", "api ", "ap", [[AUDIENCE]], None, 7],
            "iss": [ISSUER[:-1], ISSUER + "x", ISSUER.upper(), "", None, [ISSUER], 5],
            "sub": [*ODD, None, 5, ["alice"], {}],
            "jti": ["1", "", 5, None, ["a"]],
            "extra": [self.deep(), {"é": ODD}, "x" * self.random.randint(0, 3000), 10**30, [None] * 50],
        }
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            name = pick(list(changes))
            claims[name] = pick(changes[name])
        if self.random.random() < 0.05:
            claims.pop(pick(list(claims)))
        return claims

    def deep(self):
        """Arrays within each other."""
        value = 1
        for _ in range(self.random.choice([5, 20, 29, 30, 31, 32, 60])):
            value = [value]
        return value


def flipped(mint, token):
    """Another letter somewhere."""
    position = mint.random.randrange(len(token))
    return token[:position] + mint.random.choice("ABCxyz019-_") + token[position + 1 :]


def cut(mint, token):
    """Shorter, or longer by a letter."""
    return mint.random.choice([token[:-1], token[1:], token + "A", token[: len(token) // 2]])


def swapped(mint, token):
    """The header of another algorithm over the same claims and signature."""
    algorithm = mint.random.choice(ALGORITHMS)
    header = base64url(json.dumps({"alg": algorithm, "kid": algorithm}).encode())
    return ".".join([header, *token.split(".")[1:]])


def padded(mint, token):
    """The same octets in other letters."""
    segments = token.split(".")
    position = mint.random.randrange(3)
    change = [lambda s: s + "=" * (-len(s) % 4), lambda s: s.replace("-", "+").replace("_", "/"), other_bits]
    segments[position] = mint.random.choice(change)(segments[position])
    return ".".join(segments)


def other_bits(segment):
    """The last letter's unused bits set: the same octets to a reader that ignores them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    unused = {2: 1, 3: 1}.get(len(segment) % 4, 0)
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) | unused]


def spliced(mint, token):
    """The claims of another token, or its signature."""
    other = mint.sign("ES256", {"alg": "ES256", "kid": "ES256"}, mint.claims()).split(".")
    segments = token.split(".")
    position = mint.random.randrange(1, 3)
    segments[position] = other[position]
    return ".".join(segments)


def twinned(_mint, token):
    """A member of the header twice: the same to most readers, and signed by nobody."""
    header, claims, signature = token.split(".")
    text = from_base64url(header)
    return f"{base64url(text[:-1] + b',' + text[1:])}.{claims}.{signature}"


def unsigned(mint, token):
    """`alg: none`, in a few spellings."""
    header = base64url(json.dumps({"alg": mint.random.choice(["none", "None", "NONE"])}).encode())
    return f"{header}.{token.split('.')[1]}.{mint.random.choice(['', token.split('.')[2]])}"


def confused(mint, token):
    """HMAC with a public key as the secret (RFC 8725 section 2.1)."""
    # The library would not sign with that.
    secret = mint.keys[mint.random.choice(["RS256", "ES256"])].as_pem(private=False)
    header = {"alg": "HS256", "kid": mint.random.choice(["RS256", "ES256", "HS256"])}
    first_two = f"{base64url(json.dumps(header).encode())}.{token.split('.')[1]}"
    return sign_segments(HmacKey(secret, alg="HS256"), first_two)


def repeated(mint, token):
    """A claim twice, signed rightly: readers differ in which of them counts."""
    text = from_base64url(token.split(".")[1])
    payload = text[:-1] + b',"sub":"mallory"}' if text != b"{}" else text
    registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    return jws.serialize_compact({"alg": "ES256", "kid": "ES256"}, payload, mint.keys["ES256"], registry=registry)
