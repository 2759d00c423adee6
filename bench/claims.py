"""What has to be shown, each with its limit: above all jwt-warden's added cost beside the native filter's."""

from dataclasses import dataclass
from statistics import median

from . import chains
from .cases import HOT_TOKENS, new_tokens
from .report import spread

MEGABYTE = 1_000_000
# Warden's added CPU time / the native filter's, every token new, nothing cached on either side.
NEW_TOKENS = {"RS256": 0.80, "PS256": 1.30, "ES256": 0.95, "ES384": 1.00, "EdDSA": 0.90, "HS256": 0.50}
# Microseconds more for each hot token.
SETTINGS = {
    chains.RULES: 2,
    chains.PROVIDERS: 2,
    chains.DENYLIST: 1,
    chains.LOOKUP: 2,
    chains.OBSERVED: 1,
    chains.REPORTED: 1,
}


@dataclass(frozen=True)
class Claim:
    """One claim: a figure and the most that it may be."""

    title: str
    figures: str
    value: float
    limit: float
    unit: str = ""

    @property
    def verdict(self):
        """OK or MISSED."""
        return "OK" if self.value <= self.limit else "MISSED"


def claims(results, settings, artifact_bytes, worker_bytes):
    """Every claim. `results`: by case name and proxy; `settings`: by name, as `chains` measured them."""
    hot = (HOT_TOKENS, "jwt-warden")
    return [
        *(_of_new_tokens(results, algorithm, limit) for algorithm, limit in NEW_TOKENS.items()),
        _quotient(results, hot, (HOT_TOKENS, "native"), 0.20),
        _difference(results, hot, (HOT_TOKENS, "native, cache on"), 3),
        _figure(results, (new_tokens("RS256"), "jwt-warden, fall-back"), 60),
        _figure(results, (new_tokens("ES256"), "jwt-warden, fall-back"), 700),
        *of_settings(settings),
        Claim("artifact", "", artifact_bytes / MEGABYTE, 1, "MB"),
        Claim("memory per worker, 50 providers, full cache", "", worker_bytes / MEGABYTE, 16, "MB"),
    ]


def of_settings(settings):
    """The claims about settings alone."""
    return [_more(settings, name, limit) for name, limit in SETTINGS.items()]


def _of_new_tokens(results, algorithm, limit):
    case = new_tokens(algorithm)
    return _quotient(results, (case, "jwt-warden, cache off"), (case, "native"), limit)


def _quotient(results, ours, theirs, limit):
    """Of what both add in the same round."""
    quotients = [our / their for our, their in _pairs(results, ours, theirs)]
    title = f"{ours[0]}: {ours[1]} / {theirs[1]}"
    return Claim(title, _figures(results, ours, "/", theirs, quotients), median(quotients), limit)


def _difference(results, more, less, limit):
    differences = [one - other for one, other in _pairs(results, more, less)]
    title = f"{more[0]}: {more[1]} - {less[1]}"
    return Claim(title, _figures(results, more, "-", less, differences), median(differences), limit, "us")


def _pairs(results, one, other):
    return zip(results[one].added, results[other].added, strict=True)


def _figures(results, one, sign, other, values):
    ours, theirs = (median(results[key].added) for key in (one, other))
    return f"{ours:.1f} {sign} {theirs:.1f} us; half of the rounds: {spread(values, 2)[1]}"


def _more(settings, name, limit):
    more = chains.more(settings, name)
    return Claim(f"{HOT_TOKENS}: {name}", f"half of the rounds: {spread(more)[1]} us", median(more), limit, "us more")


def _figure(results, key, limit):
    added = results[key].added
    return Claim(f"{key[0]}: {key[1]}", f"half of the rounds: {spread(added)[1]} us", median(added), limit, "us")
