"""Generated requests: good ones, near misses and attacks."""

import random
from dataclasses import dataclass, field

from . import places
from .configurations import BASES
from .issuers import FLAWS

LEVELS = [3, 0, -1, 1.5, True, "gold", "", None, [1, "a"], {"b": 1, "a": [2]}, 12345678901, 1234567890123456789, "a,b"]
REALMS = [{"name": "one", "roles": ["a", "b"]}, {"name": "two"}, {"roles": []}, "flat"]
FORMS = {
    "plain": "{prefix}{token}",
    "lower case": "{lower}{token}",
    "two blanks": "{prefix} {token}",
    "prefix later": "x {prefix}{token}",
    "without prefix": "{token}",
    "other scheme": "Basic {token}",
    "prefix and dash": "{dash}{token}",
}
DECIDED = {
    "local_jwks": ["wrong key", "without exp"],  # whatever the settings
    "issuer": ["other issuer", "no issuer"],
    "max_lifetime": ["exp far off", "without exp"],
    "require_expiration": ["without exp"],
    "subjects": ["other subject", "no subject", "subject in capitals"],
    "clock_skew_seconds": ["expired a little", "valid a little later"],
    "audiences": ["other audience", "no audience", "several audiences"],
}
PARAMETERS = ["plain", "name encoded", "value encoded"]
COOKIES = ["plain", "quoted"]


@dataclass
class Placed:
    """A token where it stands; `form` is one of FORMS, or how the parameter is written."""

    place: places.Place
    token: object
    form: str = "plain"
    written: str = ""  # the header's value, the parameter or the cookie, as the upstream may see it

    @property
    def where(self):
        """What an upstream would see it in: the header's name, `target` or `cookie`."""
        return {"header": self.place.name, "param": "target", "cookie": "cookie"}[self.place.kind]


@dataclass
class Request:
    """A request and what its maker knows of it."""

    method: str
    path: str
    query: list = field(default_factory=list)  # texts, as they stand between the &
    headers: list = field(default_factory=list)
    placed: list = field(default_factory=list)

    @property
    def target(self):
        """Path and query."""
        return self.path + ("?" + "&".join(self.query) if self.query else "")

    @property
    def may_be_forged(self):
        """Whether another site's page could have a browser send it, and change something by it."""
        return self.method in ("POST", "CONNECT")

    def place(self, place, token, form="plain", rng=None):
        """Puts the token there."""
        rng = rng or random.Random(0)
        text = token.text
        if place.kind == "header":
            prefix = place.prefix
            words = {"prefix": prefix, "lower": prefix.lower(), "dash": prefix.strip() + "-"}
            written = FORMS[form].format(token=text, **words).strip()
            self.headers.append((place.name, written))
        elif place.kind == "param":
            written = f"{place.name}={text}"
            name = place.name.replace("w", "%77").replace("k", "%6b") if form == "name encoded" else place.name
            value = text.replace(".", "%2E") if form == "value encoded" else text
            self.query.insert(rng.randint(0, len(self.query)), f"{name}={value}".replace(" ", "%20"))
        else:
            written = f'{place.name}="{text}"' if form == "quoted" else f"{place.name}={text}"
            self.headers.append(("cookie", rng.choice(["{}", "a=1; {}", "{}; b=2"]).format(written)))
        self.placed.append(Placed(place, token, form, written))

    def head(self):
        """The bytes."""
        authority = "api.example:443" if self.method == "CONNECT" else self.target
        lines = [f"{self.method} {authority} HTTP/1.1", "host: api.example"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def generate(rng, configuration, issuers):
    """A request that has to do with this configuration."""
    rule = rng.choice(configuration["rules"])
    request = Request("GET", _path(rng, rule["match"]))
    _meet_conditions(rng, rule["match"], request)
    for _ in range(rng.choices([0, 1, 2, 3], [15, 60, 20, 5])[0]):
        _place_token(rng, configuration, rule, issuers, request)
    _spoof(rng, configuration, request)
    _decorate(rng, request)
    return request


def _path(rng, match):
    if "connect_matcher" in match:
        return "/"
    examples = ["/api/v1", "/api/v12", "/files/a.b", "/files/axb", "/api/y/x", "/x.png", "/Admin", "/admin/x"]
    text = next((value for value in match.values() if isinstance(value, str)), None)
    path = rng.choice(examples) if text is None else text
    near = [
        *[lambda: path] * 20,
        lambda: path + "/x",
        lambda: path + "/",
        lambda: path + "x",
        lambda: path.rstrip("/") or "/",
        lambda: path.swapcase(),
        lambda: path + "%2fx",
        lambda: path.replace("a", "%61"),
        lambda: path + ";p=1",
        lambda: "/" + path,
        lambda: rng.choice(BASES),
        lambda: rng.choice(examples),
    ]
    rare = [lambda: path + "/../x", lambda: path + "/%2e%2E/x", lambda: path + "/./x"]
    return rng.choice(rare if rng.random() < 0.01 else near)()


def _meet_conditions(rng, match, request):
    if "connect_matcher" in match and rng.random() < 0.7:
        request.method = "CONNECT"
    if "headers" in match or rng.random() < 0.1:
        request.headers += [
            ("x-tenant", value) for value in rng.choice([["acme"], ["ACME"], ["5"], ["acme"], ["xme"], []])
        ]
    if "query_parameters" in match or rng.random() < 0.1:
        request.query += rng.choice([["v=2"], ["v=2"], ["v=23"], ["v"], ["v="], ["w=2"], ["v=1", "v=2"], ["%76=2"]])


def _place_token(rng, configuration, rule, issuers, request):
    name, provider = _provider(rng, configuration, rule)
    place = rng.choice(places.of(provider))
    if request.method == "CONNECT" and place.kind == "param":
        return  # it has no query
    if any(placed.form != "plain" for placed in request.placed):
        return  # an odd form stands alone: what follows from it can be told
    if rng.random() < 0.85 and any(placed.place == place for placed in request.placed):
        return
    alone = not request.placed
    request.place(place, _token(rng, provider, issuers), _form(rng, place) if alone else "plain", rng)


def _form(rng, place):
    """Mostly as it should be."""
    forms = {"header": list(FORMS) if place.prefix else ["plain"], "param": PARAMETERS, "cookie": COOKIES}[place.kind]
    if place.prefix and not place.prefix.endswith(" "):
        forms = [*forms, *["two blanks"] * 7]  # what is no scheme has no blanks behind it
    return rng.choice(forms) if rng.random() < 0.15 else "plain"


def _provider(rng, configuration, rule):
    """Mostly one that the rule names."""
    requirement = rule.get("requires") or configuration.get("requirement_map", {}).get(rule.get("requirement_name"), {})
    named = [name for name, _ in places.providers_in(requirement)]
    name = rng.choice(named if named and rng.random() < 0.85 else list(configuration["providers"]))
    return name, configuration["providers"][name]


def _token(rng, provider, issuers):
    audience = rng.choice(provider.get("audiences", ["api"])) if rng.random() < 0.9 else "web"
    claims = {"level": rng.choice(LEVELS), "realm": rng.choice(REALMS), "aud": audience}
    return issuers.token(rng, _issuer(rng, provider, issuers), _flaw(rng, provider), **claims)


def _flaw(rng, provider):
    """None, any, or one that the provider's own settings decide about."""
    decided = [flaw for name, flaws in DECIDED.items() if name in provider for flaw in flaws]
    if decided and rng.random() < 0.2:
        return rng.choice(decided)
    return rng.choice(list(FLAWS)) if rng.random() < 0.4 else "none"


def _issuer(rng, provider, issuers):
    """Mostly the provider's own: the one whose keys it has."""
    if rng.random() < 0.08:
        return rng.randrange(len(issuers.names))
    return next(index for index in range(len(issuers.names)) if issuers.jwks(index) == provider["local_jwks"])


def _spoof(rng, configuration, request):
    names = sorted(
        {name for provider in configuration["providers"].values() for name in places.claim_headers(provider)}
    )
    for name in names:
        if rng.random() < 0.15:
            request.headers.append((name if rng.random() < 0.8 else name.replace("-", "_"), "made-up"))


def _decorate(rng, request):
    if request.method == "GET" and rng.random() < 0.06:
        request.method = rng.choice(["OPTIONS", "OPTIONS", "POST"])
        request.headers.append(("content-length", "0"))
        cors = [("origin", "https://web.example"), ("access-control-request-method", "PUT")]
        request.headers += rng.choice([cors, cors, cors[:1], cors[1:], []])
    if rng.random() < 0.1:
        request.headers.append(("x-other", "1"))
