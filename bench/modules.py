"""The Wasm modules that jwt-warden is compared with."""

import os
import subprocess
from functools import cache

from .bootstrap import ROOT, WARDEN

_FOLDER = ROOT / ".work/bench/modules"
_FUNCTION = b"verify_signature"


@cache
def empty(all_callbacks=False):
    """A filter that does nothing; with `all_callbacks` it exports what the SDK exports by default."""
    if all_callbacks:
        return _build("empty", "bench-all-callbacks", {"CARGO_TARGET_WASM32_WASIP1_LINKER": "rust-lld"})
    return _build("empty", "bench", {})


@cache
def calls():
    """A filter that makes jwt-warden's calls of the host, and does nothing else."""
    return _build("calls", "bench", {})


def _build(name, folder, environment):
    """The module of the package with this name beside this file."""
    target = ROOT / "target" / folder
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip1"]
    options = {"cwd": ROOT / "bench" / name, "env": {**os.environ, **environment}, "stdin": subprocess.DEVNULL}
    subprocess.run([*command, "--target-dir", target], check=True, **options)
    return target / f"wasm32-wasip1/release/{name}_filter.wasm"


@cache
def without_host_crypto():
    """jwt-warden as it is where the host has no `verify_signature`: it asks for one that no host has."""
    module = WARDEN.read_bytes()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    path = _FOLDER / "without_host_crypto.wasm"
    path.write_bytes(module.replace(_FUNCTION, _FUNCTION[::-1]))
    return path
