"""What has to be shown, each with its limit: above all jwt-warden's added cost beside the native filter's."""

from dataclasses import dataclass
from statistics import median

from . import chains
from .cases import HOT_TOKENS, NO_FILTER, new_tokens
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
    """Every claim. `results`: the series by case name and proxy; `settings`: by name, as `chains` measured them."""
    baseline = results[NO_FILTER, "none"]
    added = {key: median(series.added(baseline)) for key, series in results.items()}
    hot = (HOT_TOKENS, "jwt-warden")
    return [
        *(_of_new_tokens(added, algorithm, limit) for algorithm, limit in NEW_TOKENS.items()),
        _quotient(added, hot, (HOT_TOKENS, "native"), 0.20),
        _difference(added, hot, (HOT_TOKENS, "native, cache on"), 3),
        _figure(added, (new_tokens("RS256"), "jwt-warden, fall-back"), 60),
        _figure(added, (new_tokens("ES256"), "jwt-warden, fall-back"), 700),
        *of_settings(settings),
        Claim("artifact", "", artifact_bytes / MEGABYTE, 1, "MB"),
        Claim("memory per worker, 50 providers, full cache", "", worker_bytes / MEGABYTE, 16, "MB"),
    ]


def of_settings(settings):
    """The claims about settings alone."""
    return [_more(settings, name, limit) for name, limit in SETTINGS.items()]


def _of_new_tokens(added, algorithm, limit):
    case = new_tokens(algorithm)
    return _quotient(added, (case, "jwt-warden, cache off"), (case, "native"), limit)


def _quotient(added, ours, theirs, limit):
    figures = f"{added[ours]:.1f} / {added[theirs]:.1f} us"
    return Claim(f"{ours[0]}: {ours[1]} / {theirs[1]}", figures, added[ours] / added[theirs], limit)


def _difference(added, more, less, limit):
    figures = f"{added[more]:.1f} - {added[less]:.1f} us"
    return Claim(f"{more[0]}: {more[1]} - {less[1]}", figures, added[more] - added[less], limit, "us")


def _more(settings, name, limit):
    more = chains.more(settings, name)
    return Claim(f"{HOT_TOKENS}: {name}", f"half of the rounds: {spread(more)[1]} us", median(more), limit, "us more")


def _figure(added, key, limit):
    return Claim(f"{key[0]}: {key[1]}", "", added[key], limit, "us")
