"""What docs/envoy.md gives operators to copy."""

import re
from types import SimpleNamespace

import yaml

from .envoy import ROOT

NAMES = (
    "log principal condition cors cors_policy same_route off on certificates untrusted dpop session peer "
    "set_certificate forward_certificate"
)


def blocks():
    """The YAML of docs/envoy.md, in its order, fresh."""
    texts = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/envoy.md").read_text(), re.MULTILINE | re.DOTALL)
    return SimpleNamespace(**dict(zip(NAMES.split(), map(yaml.safe_load, texts), strict=True)))
