"""Forged tokens by recipe: every variant is one case, forged with fresh keys."""

from . import claims, confusion, form, sanity, times, unsigned
from .case import Case, cases_of

MODULES = [sanity, unsigned, confusion, form, times, claims]


def all_cases(world):
    """Every case of every recipe."""
    return [case for module in MODULES for case in cases_of(module, world)]


__all__ = ["Case", "all_cases"]
