"""In what two outcomes differ."""

from dataclasses import dataclass

from . import parts, places, promises, rules


@dataclass
class Case:
    """A configuration, a request, and what each filter made of it."""

    configuration: dict
    request: object
    native: object
    warden: object

    def __post_init__(self):
        self.requirement = rules.requirement(self.configuration, self.request)
        self.parts = parts.of(self.configuration, self.requirement)
        names = sorted({name for part in self.parts for name in part.names})
        self.asked = [self.configuration["providers"][name] for name in names]
        self.promise = promises.of(self.configuration, self.request, self.requirement)

    @property
    def looked_at(self):
        """The tokens that stand where a provider of the requirement looks."""
        where = {(place.kind, place.name) for provider in self.asked for place in places.of(provider)}
        return [placed for placed in self.request.placed if (placed.place.kind, placed.place.name) in where]

    @property
    def written(self):
        """The headers that the providers of the requirement write."""
        return {name for provider in self.asked for name in places.claim_headers(provider)}

    @property
    def everyone(self):
        """All providers."""
        return list(self.configuration["providers"].values())


@dataclass
class Finding:
    """One difference. `what`: verdict, status, error, header or target; `name`: the header's."""

    what: str
    native: object
    warden: object
    name: str = ""

    def __str__(self):
        return f"{self.what} {self.name}: jwt_authn {self.native!r}, jwt-warden {self.warden!r}"


def findings(native, warden):
    """Every difference between the two."""
    if native.passed != warden.passed:
        return [Finding("verdict", native.reason or "passed", warden.reason or "passed")]
    if native.passed and native.status != warden.status:
        return [Finding("status", native.status, warden.status)]  # one of them did not arrive
    found = [Finding("status", native.status, warden.status), Finding("error", native.names_error, warden.names_error)]
    names = sorted({name for name, _ in (*native.headers, *warden.headers)})
    found += [Finding("header", native.all(name), warden.all(name), name) for name in names]
    found.append(Finding("target", native.path, warden.path))
    return [finding for finding in found if finding.native != finding.warden]
