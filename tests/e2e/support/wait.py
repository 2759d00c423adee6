"""Waiting by asking again."""

import time

# Far beyond what anything takes: a busy machine is no fault.
LONGEST = 60


def until(condition):
    """The first true result of `condition`; fails where none comes."""
    deadline = time.monotonic() + LONGEST
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {LONGEST} s"
        time.sleep(0.02)
    return result
