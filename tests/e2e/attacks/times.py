"""H: exp, nbf and iat in every form (RFC 7519 section 2, NumericDate)."""

import time

from lab.tokens import compact, header, token

from .case import ACCEPT, recipe

NOW = int(time.time())
LATER = NOW + 3600
MAX = 253_402_300_799

GOOD_EXP = {
    "integer": str(LATER),
    "fraction": f"{LATER}.5",
    "exponent": "4e9",
    "fraction-and-exponent": f"{LATER / 1e9:.9f}E+9",
    "latest": str(MAX),
}
BAD_EXP = {
    "past": str(NOW - 3600),
    "string": f'"{LATER}"',
    "empty-string": '""',
    "text": '"never"',
    "date": '"2099-01-01T00:00:00Z"',
    "null": "null",
    "true": "true",
    "false": "false",
    "zero": "0",
    "minus-zero": "-0",
    "negative": "-1",
    "negative-later": f"-{LATER}",
    "beyond-latest": str(MAX + 1),
    "int64-max": str(2**63 - 1),
    "beyond-int64": str(2**63),
    "beyond-uint64": str(2**64 + LATER),
    "1e400": "1e400",
    "1e308": "1e308",
    "Infinity": "Infinity",
    "NaN": "NaN",
    "hex": hex(LATER),
    "leading-zero": f"0{LATER}",
    "plus": f"+{LATER}",
    "underscores": f"{LATER:_}",
    "array": f"[{LATER}]",
    "object": f'{{"value":{LATER}}}',
    "milliseconds": str(LATER * 1000),
}
# Not later than now, and past the skew of 60 seconds.
GOOD_START = {"now": str(NOW), "zero": "0", "within-skew": str(NOW + 20), "fraction": f"{NOW - 1}.75"}
BAD_START = {
    "future": str(LATER),
    "int64-max": str(2**63 - 1),
    "int64-min": str(-(2**63)),
    "beyond-latest": str(MAX + 1),
    "1e400": "1e400",
    "string": f'"{NOW}"',
    "null": "null",
    "negative": "-1",
    "bool": "true",
    "array": f"[{NOW}]",
}


@recipe("H01")
def expiration_forms(world):
    """exp as every kind of literal."""
    for name, literal in GOOD_EXP.items():
        yield name, _with_literal(world, "exp", literal), {"expect": ACCEPT}
    for name, literal in BAD_EXP.items():
        yield name, _with_literal(world, "exp", literal)


@recipe("H02")
def no_expiration(world):
    """exp missing."""
    yield "missing", world.token(exp=...)


@recipe("H03")
def expiration_twice(world):
    """exp twice, in either order, escaped, and under another name only."""
    yield "late-last", _with_extra(world, f'"exp":{LATER}', exp=NOW - 3600)
    yield "late-first", _with_extra(world, f'"exp":{NOW - 3600}')
    yield "escaped", _with_extra(world, f'"\\u0065xp":{LATER}', exp=NOW - 3600)
    yield "other-case", world.token(exp=..., Exp=LATER, EXP=LATER)


@recipe("H04")
def not_before_forms(world):
    """nbf as every kind of literal."""
    yield from _start_forms(world, "nbf")


@recipe("H05")
def issued_at_forms(world):
    """iat as every kind of literal."""
    yield from _start_forms(world, "iat")


def _start_forms(world, name):
    for variant, literal in GOOD_START.items():
        yield variant, _with_literal(world, name, literal), {"expect": ACCEPT}
    for variant, literal in BAD_START.items():
        yield variant, _with_literal(world, name, literal)


def _with_literal(world, name, literal):
    return _with_extra(world, f'"{name}":{literal}', **{name: ...})


def _with_extra(world, member, **changes):
    key = world.key("a", "rs256")
    payload = compact(world.claims(**changes)).decode()[:-1] + f",{member}}}"
    return token(key, header(key), payload)
