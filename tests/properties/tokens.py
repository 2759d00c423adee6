"""Makes tokens.json anew: good tokens of every algorithm, and their public keys. The private ones are forgotten."""

import base64
import hashlib
import hmac
import json
import pathlib
import secrets

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

NOW = 1_700_000_000
CLAIMS = {
    "iss": "https://issuer.test",
    "aud": ["api", "other"],
    "sub": "alice",
    "exp": NOW + 300,
    "iat": NOW - 5,
    "realm": {"roles": ["a"]},
}
CURVES = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def encode(octets):
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(value, size=None):
    """A number in octets, the highest first."""
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Keys:
    """A key of each kind."""

    def __init__(self):
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.ec = {size: ec.generate_private_key(curve) for size, curve in CURVES.items()}
        self.ed25519 = ed25519.Ed25519PrivateKey.generate()
        self.secret = secrets.token_bytes(64)

    def jwks(self):
        """The public halves, and the secret."""
        numbers = self.rsa.public_key().public_numbers()
        keys = [{"kty": "RSA", "kid": "rsa", "n": number(numbers.n), "e": number(numbers.e)}]
        for size, key in self.ec.items():
            point = key.public_key().public_numbers()
            length = (key.curve.key_size + 7) // 8
            curve = "P-521" if size == "512" else f"P-{size}"
            x, y = number(point.x, length), number(point.y, length)
            keys.append({"kty": "EC", "kid": f"ec{size}", "crv": curve, "x": x, "y": y})
        x = encode(self.ed25519.public_key().public_bytes_raw())
        keys.append({"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": x})
        keys.append({"kty": "oct", "kid": "oct", "k": encode(self.secret)})
        return {"keys": keys}

    def sign(self, algorithm, text):
        """The signature."""
        family, size = algorithm[:2], algorithm[2:]
        if family == "HS":
            return hmac.new(self.secret, text, getattr(hashlib, f"sha{size}")).digest()
        if family == "ES":
            key = self.ec[size]
            length = (key.curve.key_size + 7) // 8
            r, s = decode_dss_signature(key.sign(text, ec.ECDSA(HASHES[size])))
            return r.to_bytes(length, "big") + s.to_bytes(length, "big")
        if family == "Ed":
            return self.ed25519.sign(text)
        digest = HASHES[size]
        scheme = padding.PKCS1v15() if family == "RS" else padding.PSS(padding.MGF1(digest), digest.digest_size)
        return self.rsa.sign(text, scheme, digest)


def kid(algorithm):
    """The name of the algorithm's key."""
    return {"HS": "oct", "Ed": "ed", "ES": f"ec{algorithm[2:]}"}.get(algorithm[:2], "rsa")


def token(keys, algorithm, names_key):
    """A good token."""
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid(algorithm)} if names_key else {})
    text = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(CLAIMS).encode())}"
    return f"{text}.{encode(keys.sign(algorithm, text.encode()))}"


def main():
    """Writes the document."""
    keys = Keys()
    sizes = ("256", "384", "512")
    algorithms = [family + size for family in ("RS", "PS", "ES", "HS") for size in sizes] + ["EdDSA"]
    tokens = [token(keys, algorithm, names_key) for algorithm in algorithms for names_key in (True, False)]
    document = {"jwks": keys.jwks(), "tokens": tokens}
    pathlib.Path(__file__).with_name("tokens.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
