"""What the load is made of, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field

from .latencies import Latencies


@dataclass(frozen=True)
class Lane:
    """Connections to one port that take turns with some kinds of requests, so many at a time. `drains`: the proxy may
    end them."""

    port: int
    connections: int
    depth: int
    pause: float = 0
    drains: bool = False


@dataclass(eq=False)
class Kind:
    """Requests of one kind, pairs of bytes and of the user that the upstream has to be told, and the statuses that are
    right for them: more than one while something changes."""

    name: str
    lane: str
    requests: list
    allowed: frozenset
    under_way: int = 0


@dataclass
class Tally:
    """What came of the requests; `graced` are those that were under way while more than one status was right."""

    answers: Counter = field(default_factory=Counter)  # by kind and status
    graced: Counter = field(default_factory=Counter)
    false: Counter = field(default_factory=Counter)  # by kind
    samples: list = field(default_factory=list)  # of false verdicts
    sent_again: int = 0
    latencies: Latencies = field(default_factory=Latencies)
