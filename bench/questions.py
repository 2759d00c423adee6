"""What `verify_signature` of the host is asked: its message `VerifySignatureArguments`, with tokens of a pool."""

import struct
from itertools import islice

from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.keys import CURVES, from_base64url


def all_about(pool, count):
    """The arguments for the first tokens of the pool, each behind its size: what `bench/calls` is configured by."""
    make_key, encode = {"RSA": (_rsa, bytes), "EC": (_ec, _der)}[pool.jwk["kty"]]
    key = make_key(pool.jwk).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    function = b"sha" + pool.jwk["alg"][2:].encode()
    asked = []
    with pool.path.open() as lines:
        for token in islice(lines, count):
            text, signature = token.strip().rsplit(".", 1)
            fields = [function, key, encode(from_base64url(signature)), text.encode()]
            asked.append(b"".join(_field(number, value) for number, value in enumerate(fields, 1)))
    return b"".join(struct.pack("<I", len(question)) + question for question in asked)


def _rsa(jwk):
    return rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()


def _ec(jwk):
    return ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), CURVES[jwk["crv"]]).public_key()


def _der(signature):
    half = len(signature) // 2
    return utils.encode_dss_signature(*(int.from_bytes(part, "big") for part in (signature[:half], signature[half:])))


def _number(text):
    return int.from_bytes(from_base64url(text), "big")


def _field(number, value):
    """A field of bytes: its tag, its size in groups of seven bits, the bytes."""
    size, groups = len(value), []
    while size >= 0x80:
        groups.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2, *groups, size]) + value
