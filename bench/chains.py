"""What a setting costs a request, where that is less than the noise: by filters in a row, all of which have it."""

from . import bootstrap, rounds
from .bootstrap import provider, warden
from .cases import HOT, HOT_TOKENS, MANY_PROVIDERS, MANY_RULES, Case, crowd
from .report import comparison
from .revocation import BY_DENYLIST, BY_LOOKUP, ENTRIES

LENGTH = 8
RULES = f"{MANY_RULES} rules"
PROVIDERS = f"any of {MANY_PROVIDERS} providers"
DENYLIST = f"denylist of {ENTRIES} entries"
LOOKUP = "looked up and remembered"
OBSERVED = "rule with a name, refusals audited"
REPORTED = "all of that and report-only"
_PLAIN = "none of these"
_TOLD = "x-user"
_NAMED = [{**rule, "name": "api"} for rule in bootstrap.make_rules(1)]
_OBSERVED = {"rules": _NAMED, "audit": {"decisions": "denied"}}


def measure(pools, pace, tell, services):
    """For each setting the series of one filter: an eighth of all that a request costs. The filters meet one token in a
    row, so what they share, such as its bytes, is warmer than it is for one alone."""
    rsa = pools["RS256"]
    listeners = _listeners(rsa, pools["ES256"])
    cases = [Case(name, "chains", name, rsa, HOT) for name in listeners]
    series, _ = rounds.measure({"chains": listeners}, cases, pace, lambda done: tell(f"chains, {done}"), services)
    return {case.name: one.divided(LENGTH) for case, one in zip(cases, series, strict=True)}


def more(measured, name):
    """Microseconds that the setting costs a request, in each round; sorted."""
    return measured[name].added(measured[_PLAIN])


def table(measured):
    """Markdown: what each setting costs."""
    plain = measured[_PLAIN]
    rows = [(name, series, None if series is plain else plain) for name, series in measured.items()]
    return comparison(f"{HOT_TOKENS}, one of {LENGTH} filters in a row", rows)


def _listeners(rsa, filler):
    # Each lets the next one have the token, and changes the request: then Envoy chooses the route again, as it does
    # where the token is taken out.
    told = {"claim_to_headers": [{"header_name": _TOLD, "claim_name": "sub"}]}
    known = {**provider(rsa.jwk), "forward": True, **told}
    return {
        _PLAIN: _chain(known),
        RULES: _chain(known, rules=bootstrap.make_rules(MANY_RULES)),
        PROVIDERS: _chain(*crowd(MANY_PROVIDERS, known, filler.jwk)),
        DENYLIST: _chain({**known, "revocation": BY_DENYLIST}),
        LOOKUP: _chain({**known, "revocation": BY_LOOKUP}),
        OBSERVED: _chain(known, **_OBSERVED),
        REPORTED: _chain(known, **_OBSERVED, report_only=True),
    }


def _chain(*providers, **settings):
    # Each is a plugin of its own, with its own memory: those of the same configuration would share one.
    links = (warden(*providers, realm=f"link-{number}", **settings) for number in range(LENGTH))
    return [each for number, filters in enumerate(links) for each in _link(number, filters)]


def _link(number, filters):
    """What one says is taken out again, for the next one to meet a request as it comes from clients."""
    removal = {"request_mutations": [{"remove": name} for name in (_TOLD, "x-jwt-warden-verdict")]}
    yield from ({**each, "name": f"{each['name']}{number}"} for each in filters)
    yield bootstrap.http_filter(f"removal{number}", "header_mutation.v3.HeaderMutation", mutations=removal)
