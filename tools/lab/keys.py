"""Keys of every kind: fresh, signing in every JWS algorithm that fits them, and showing themselves as JWKs."""

import base64
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}
ALGORITHMS = [
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"),
]


def base64url(data):
    """Bytes to base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    """base64url without padding to bytes."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def generate(algorithm, kid=None):
    """A fresh key for the algorithm; its JWK names the algorithm."""
    if algorithm[:2] in ("RS", "PS"):
        return RsaKey(kid=kid, alg=algorithm)
    if algorithm[:2] == "ES":
        curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
        return EcKey(curve, kid=kid, alg=algorithm)
    if algorithm[:2] == "HS":
        return HmacKey(secrets.token_bytes(int(algorithm[2:]) // 8), kid=kid, alg=algorithm)
    return Ed25519Key(kid=kid, alg=algorithm)


class Key:
    """A key with its `kid` and the `alg` that its JWK names (both optional)."""

    def __init__(self, kid=None, alg=None):
        self.kid = kid
        self.alg = alg

    def jwk(self, **members):
        """The public key (the secret, for HMAC) as a JWK; `members` are added, or removed where None."""
        jwk = {"kid": self.kid, "alg": self.alg, **self._material(), **members}
        return {name: value for name, value in jwk.items() if value is not None}

    def pem(self, encoding=serialization.Encoding.PEM, form=serialization.PublicFormat.SubjectPublicKeyInfo):
        """The public key in another form: bytes."""
        return self.private.public_key().public_bytes(encoding, form)


class RsaKey(Key):
    """An RSA key; signs RS* and PS*."""

    def __init__(self, bits=2048, kid=None, alg=None, private=None):
        super().__init__(kid, alg)
        self.private = private or rsa.generate_private_key(65537, bits)

    def _material(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "n": _unsigned(numbers.n), "e": _unsigned(numbers.e)}

    def sign(self, algorithm, data):
        """The signature, of the modulus' length."""
        digest = HASHES[algorithm[2:]]
        scheme = padding.PKCS1v15()
        if algorithm.startswith("PS"):
            scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return self.private.sign(data, scheme, digest)

    def renamed(self, kid, alg):
        """The same key under another name."""
        return RsaKey(kid=kid, alg=alg, private=self.private)


class EcKey(Key):
    """An elliptic curve key; signs ES*, with the hash that the algorithm's name says."""

    def __init__(self, curve, kid=None, alg=None):
        super().__init__(kid, alg)
        self.curve = curve
        self.private = ec.generate_private_key(CURVES[curve])
        self.size = (self.private.curve.key_size + 7) // 8

    def _material(self):
        numbers = self.private.public_key().public_numbers()
        x, y = (base64url(value.to_bytes(self.size, "big")) for value in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": self.curve, "x": x, "y": y}

    def sign(self, algorithm, data):
        """r and s, each of the field's length (RFC 7518 section 3.4)."""
        r, s = utils.decode_dss_signature(self.sign_der(algorithm, data))
        return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")

    def sign_der(self, algorithm, data):
        """The signature in DER, as JWS does not want it."""
        return self.private.sign(data, ec.ECDSA(HASHES[algorithm[2:5]]))


class Ed25519Key(Key):
    """An Ed25519 key; signs EdDSA."""

    def __init__(self, kid=None, alg=None):
        super().__init__(kid, alg)
        self.private = ed25519.Ed25519PrivateKey.generate()

    def _material(self):
        raw = self.private.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}

    def sign(self, _algorithm, data):
        """The signature: 64 bytes."""
        return self.private.sign(data)


class HmacKey(Key):
    """A shared secret; signs HS*."""

    def __init__(self, secret, kid=None, alg=None):
        super().__init__(kid, alg)
        self.secret = secret

    def _material(self):
        return {"kty": "oct", "k": base64url(self.secret)}

    def sign(self, algorithm, data):
        """The MAC, of the hash's length."""
        return hmac.new(self.secret, data, getattr(hashlib, f"sha{algorithm[2:]}")).digest()


def _unsigned(number):
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
