"""Waiting by asking again."""

import time


def until(condition, seconds=10):
    """The first true result of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return result
