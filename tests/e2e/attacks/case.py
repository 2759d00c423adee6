"""How a recipe is written down: a generator of named tokens, with an id and an expectation."""

from dataclasses import dataclass, replace

ACCEPT = "accept"
REJECT = "reject"


@dataclass(frozen=True)
class Case:
    """One request. `authorization` is the header's whole value."""

    recipe: str
    variant: str
    authorization: str
    provider: str = "a"
    expect: str = REJECT
    user: str = "alice"  # what the upstream is told, where the token is accepted

    @property
    def name(self):
        """The case's id."""
        return f"{self.recipe}-{self.variant}"


def recipe(identifier, provider="a", expect=REJECT):
    """Marks a generator of (variant, token) or (variant, token, changes to the case)."""

    def mark(generator):
        generator.recipe = Case(identifier, "", "", provider, expect)
        return generator

    return mark


def cases_of(module, world):
    """The cases of all recipes in the module."""
    for generator in vars(module).values():
        if (base := getattr(generator, "recipe", None)) is not None:
            for variant, token, *changes in generator(world):
                case = replace(base, variant=variant, authorization=f"Bearer {token}")
                yield replace(case, **changes[0]) if changes else case
