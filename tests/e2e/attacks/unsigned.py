"""A: unsigned tokens and broken signatures."""

from operator import itemgetter

from lab.keys import EcKey, RsaKey, base64url, from_base64url
from lab.tokens import header, signing_input

from .case import recipe

UNSUPPORTED = [
    *("rs256", "Rs256", "RS256 ", "RS1", "RS128", "RS257", "HS1"),
    *("ES256K", "Ed448", "RSA-OAEP", "A128KW", "PBES2-HS256+A128KW"),
]


@recipe("A01")
def none(world):
    """`none` in eight spellings, without a signature."""
    for spelling in ("none", "None", "NONE", "nOnE", "noNe", "nonE", "none ", "nOne\u0000"):
        yield ascii(spelling), _unsigned(world, alg=spelling) + "."


@recipe("A02")
def none_with_the_old_signature(world):
    """`none`, the signature of the good token kept."""
    yield "kept", _unsigned(world, alg="none") + "." + _signature(world.token())


@recipe("A03")
def none_in_two_segments(world):
    """`none`, without the last dot."""
    yield "two-segments", _unsigned(world, alg="none")


@recipe("A04")
def empty_signature(world):
    """The algorithm kept, the signature gone."""
    yield "empty", _first_two(world.token()) + "."


@recipe("A05")
def odd_algorithms(world):
    """`alg` that is not a name, over a good signature."""
    odd = {"missing": ..., "empty": "", "null": None, "number": 256, "array": ["RS256"], "object": {}, "bool": True}
    for name, value in odd.items():
        yield name, world.token(head={"alg": value})


@recipe("A06")
def unsupported_algorithms(world):
    """Names that are not ours, over a good signature."""
    for name in UNSUPPORTED:
        yield name, world.token(kid="rsa", algorithm="RS256", head={"alg": name})


@recipe("A07")
def cut_signatures(world):
    """Signatures cut short."""
    for length in (1, 16, 128, 255):
        yield str(length), _resigned(world.token(), itemgetter(slice(length)))


@recipe("A08")
def padded_signatures(world):
    """Signatures with a zero byte more."""
    yield "front", _resigned(world.token(), lambda signature: b"\0" + signature)
    yield "back", _resigned(world.token(), lambda signature: signature + b"\0")
    yield "es256-front", _resigned(world.token(kid="es256"), lambda signature: b"\0" + signature)
    yield "es256-der", _first_two(token := world.token(kid="es256")) + "." + _der(world, token)


@recipe("A09")
def trivial_signatures(world):
    """Signatures that are a small number."""
    yield "0", _resigned(world.token(), lambda signature: bytes(len(signature)))
    yield "1", _resigned(world.token(), lambda signature: (1).to_bytes(len(signature), "big"))
    yield "es256-0", _resigned(world.token(kid="es256"), lambda signature: bytes(64))
    yield "es256-1", _resigned(world.token(kid="es256"), lambda signature: 2 * (1).to_bytes(32, "big"))
    yield "eddsa-0", _resigned(world.token(kid="eddsa"), lambda signature: bytes(64))


@recipe("A10")
def unreduced_signatures(world):
    """RSA signatures that are not below the modulus."""
    modulus = world.key("a", "rs256").private.public_key().public_numbers().n
    yield "plus-n", _resigned(world.token(), lambda signature: _wide(int.from_bytes(signature, "big") + modulus))
    yield "n-1", _resigned(world.token(), lambda signature: (modulus - 1).to_bytes(256, "big"))


@recipe("A11")
def swapped_payload(world):
    """Another payload under an old signature."""
    head, _, signature = world.token().split(".")
    yield "admin", f"{head}.{world.token(sub='admin').split('.')[1]}.{signature}"


@recipe("A12")
def swapped_header(world):
    """The same header in other bytes under an old signature."""
    _, payload, signature = world.token().split(".")
    spaced = header(world.key("a", "rs256"))
    text = "{" + ", ".join(f'"{name}": "{value}"' for name, value in spaced.items()) + "}"
    yield "spaces", f"{base64url(text.encode())}.{payload}.{signature}"


@recipe("A13")
def foreign_key(world):
    """The right kid, and somebody else's key."""
    yield "rsa", world.token(key=RsaKey())
    yield "ec", world.token(kid="es256", key=EcKey("P-256"))


def _unsigned(world, **changes):
    return signing_input(header(world.key("a", "rs256"), **changes), world.claims(sub="admin"))


def _first_two(token):
    return token.rsplit(".", 1)[0]


def _signature(token):
    return token.rsplit(".", 1)[1]


def _resigned(token, change):
    return _first_two(token) + "." + base64url(change(from_base64url(_signature(token))))


def _der(world, token):
    return base64url(world.key("a", "es256").sign_der("ES256", _first_two(token).encode()))


def _wide(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
