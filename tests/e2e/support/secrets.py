"""What must never stand in a log: every token that was sent, whole or in part, and every secret that was configured."""

import re
from collections import defaultdict

_LENGTH = 20
_TOKEN = re.compile(rb"(?<![\w-])[\w-]{20,}\.([\w-]{20,})\.([\w-]{20,})")
_RUN = re.compile(r"[\w-]{20,}", re.ASCII)

# Segments of tokens by their last characters: there are tens of thousands, and each log is searched for all at once.
_segments = defaultdict(set)
_texts = set()


def remember(text):
    """A secret from now on."""
    if _RUN.fullmatch(text):
        _segments[text[-_LENGTH:]].add(text)
    else:
        _texts.add(text)


def remember_tokens(data):
    """Takes note of the payloads and signatures of all tokens in the bytes."""
    for segments in _TOKEN.findall(data):
        for segment in segments:
            remember(segment.decode())


def leaked_in(log):
    """The secrets that the text holds."""
    found = {text for text in _texts if text in log}
    for run in set(_RUN.findall(log)):
        for end in range(_LENGTH, len(run) + 1):
            ending = _segments.get(run[end - _LENGTH : end], ())
            found.update(segment for segment in ending if run.endswith(segment, 0, end))
    return sorted(found)
