"""What must never stand in a log: every token that was sent, whole or in part, and every secret that was configured."""

import re

_seen = set()
_TOKEN = re.compile(rb"(?<![\w-])[\w-]{20,}\.([\w-]{20,})\.([\w-]{20,})")


def remember(text):
    """A secret from now on."""
    _seen.add(text)


def remember_tokens(data):
    """Takes note of the payloads and signatures of all tokens in the bytes."""
    for segments in _TOKEN.findall(data):
        _seen.update(segment.decode() for segment in segments)


def leaked_in(log):
    """The secrets that the text holds."""
    return [secret for secret in _seen if secret in log]
