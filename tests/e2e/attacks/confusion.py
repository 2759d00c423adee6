"""B: the wrong key for the algorithm, or the wrong algorithm for the key."""

import json

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.keys import EcKey, HmacKey

from .case import recipe

DICTIONARY = ["secret", "password", "123456", "changeme", "key", "jwt", "your-256-bit-secret", "secretkey", "\0"]


@recipe("B01")
def rsa_key_as_secret(world):
    """HS* keyed with what everybody knows of an RSA key."""
    for provider, kid in (("a", "rs256"), ("mixed", "rsa")):
        key = world.key(provider, kid)
        for form, secret in {**_text_forms(key), **_rsa_forms(key)}.items():
            yield from _hmac_variants(world, provider, kid, form, secret, ["HS256"])
        yield from _hmac_variants(world, provider, kid, "pem", key.pem(), ["HS384", "HS512"])


@recipe("B02")
def ec_key_as_secret(world):
    """HS256 keyed with what everybody knows of an EC key."""
    for provider, kid in (("a", "es256"), ("mixed", "ec")):
        key = world.key(provider, kid)
        point = key.pem(Encoding.X962, PublicFormat.UncompressedPoint)
        forms = {**_text_forms(key), "openssh": key.pem(Encoding.OpenSSH, PublicFormat.OpenSSH), "point": point}
        for form, secret in forms.items():
            yield from _hmac_variants(world, provider, kid, form, secret, ["HS256"])


@recipe("B03")
def ed25519_key_as_secret(world):
    """HS256 keyed with what everybody knows of an Ed25519 key."""
    for provider, kid in (("a", "eddsa"), ("mixed", "ed")):
        key = world.key(provider, kid)
        forms = {
            "pem": key.pem(),
            "der": key.pem(Encoding.DER),
            "raw": key.pem(Encoding.Raw, PublicFormat.Raw),
            "jwk": json.dumps(key.jwk()).encode(),
            "openssh": key.pem(Encoding.OpenSSH, PublicFormat.OpenSSH),
        }
        for form, secret in forms.items():
            yield from _hmac_variants(world, provider, kid, form, secret, ["HS256"])


@recipe("B04")
def empty_secret(world):
    """HS* keyed with nothing, for keys with and without an `alg`."""
    for provider, kid in (("a", "rs256"), ("a", "rsa"), ("hs", "hs256"), ("mixed", "oct"), ("mixed", "rsa")):
        yield from _hmac_variants(world, provider, kid, kid, b"", ["HS256", "HS384", "HS512"])


@recipe("B05", provider="hs")
def dictionary_secrets(world):
    """HS256 keyed with words that others have used."""
    for word in DICTIONARY:
        yield ascii(word), world.token("hs", "hs256", key=HmacKey(word.encode()))


@recipe("B06", provider="hs")
def another_secret(world):
    """HS256 keyed with another provider's secret."""
    yield "mixed", world.token("hs", "hs256", key=world.key("mixed", "oct"))
    yield "kid-of-the-other", world.token("hs", "hs256", key=world.key("mixed", "oct"), head={"kid": "oct"})


@recipe("B07", provider="hs")
def larger_hmac(world):
    """A larger algorithm than the one that the secret's JWK names."""
    yield "HS512", world.token("hs", "hs256", algorithm="HS512")
    yield "HS384", world.token("hs", "hs256", algorithm="HS384")


@recipe("B08")
def other_algorithm_of_the_family(world):
    """The right key with an algorithm that its JWK does not name."""
    for algorithm in ("RS384", "RS512", "PS256"):
        yield algorithm, world.token(kid="rs256", algorithm=algorithm)


@recipe("B09")
def padding_confusion(world):
    """The header says one RSA scheme, the signature is of the other."""
    yield "PS256-as-RS256", world.token(kid="rsa", algorithm="PS256", head={"alg": "RS256"})
    yield "RS256-as-PS256", world.token(kid="rsa", algorithm="RS256", head={"alg": "PS256"})


@recipe("B10")
def wrong_key_type(world):
    """An algorithm that does not fit the kind or the curve of the key that the kid names."""
    yield "ES256-on-P-384", world.token(kid="es384", algorithm="ES256")
    yield "ES384-on-P-256", world.token(kid="ec", algorithm="ES384")
    yield "RS256-names-ec", world.token(kid="rs256", head={"kid": "ec"})
    yield "EdDSA-names-rsa", world.token(kid="eddsa", head={"kid": "rsa"})
    yield "ES256-names-ed", world.token(kid="es256", head={"kid": "ed"})


@recipe("B11")
def wrong_hash(world):
    """The right curve with the wrong hash."""
    yield "P-256-SHA-512", world.token(kid="ec", algorithm="ES512", head={"alg": "ES256"})


@recipe("B12")
def wrong_curve(world):
    """A secp256k1 signature as ES256."""
    yield "secp256k1", world.token(kid="es256", key=EcKey("secp256k1"))


def _hmac_variants(world, provider, kid, form, secret, algorithms):
    for algorithm in algorithms:
        token = world.token(provider, kid, algorithm=algorithm, key=HmacKey(secret), sub="admin")
        yield f"{provider}-{kid}-{form}-{algorithm}", token, {"provider": provider}


def _text_forms(key):
    pem = key.pem()
    return {
        "pem": pem,
        "pem-stripped": pem.strip(),
        "der": key.pem(Encoding.DER),
        "jwk": json.dumps(key.jwk(), separators=(",", ":")).encode(),
    }


def _rsa_forms(key):
    pem = key.pem()
    modulus = key.jwk()["n"]
    number = key.private.public_key().public_numbers().n
    pkcs1 = key.pem(Encoding.PEM, PublicFormat.PKCS1)
    return {
        "pem-crlf": pem.replace(b"\n", b"\r\n"),
        "pem-leading-newline": b"\n" + pem,
        "pem-leading-space": b" " + pem,
        "pem-body": b"".join(pem.splitlines()[1:-1]),
        "pem-twice": pem + pem,
        "pkcs1-pem": pkcs1,
        "pkcs1-stripped": pkcs1.strip(),
        "pkcs1-der": key.pem(Encoding.DER, PublicFormat.PKCS1),
        "n-bytes": number.to_bytes(256, "big"),
        "n-text": modulus.encode(),
        "n-hex": f"{number:x}".encode(),
        "jwk-spaces": json.dumps(key.jwk()).encode(),
        "jwk-sorted": json.dumps(key.jwk(), sort_keys=True, separators=(",", ":")).encode(),
        "jwks": json.dumps({"keys": [key.jwk()]}, separators=(",", ":")).encode(),
    }
