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
    environment = dict(os.environ)
    folder = ROOT / "target/bench"
    if all_callbacks:
        folder = ROOT / "target/bench-all-callbacks"
        environment["CARGO_TARGET_WASM32_WASIP1_LINKER"] = "rust-lld"
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip1"]
    options = {"cwd": ROOT / "bench/empty", "env": environment, "stdin": subprocess.DEVNULL, "check": True}
    subprocess.run([*command, "--target-dir", folder], **options)
    return folder / "wasm32-wasip1/release/empty_filter.wasm"


@cache
def without_host_crypto():
    """jwt-warden as it is where the host has no `verify_signature`: it asks for one that no host has."""
    module = WARDEN.read_bytes()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    path = _FOLDER / "without_host_crypto.wasm"
    path.write_bytes(module.replace(_FUNCTION, _FUNCTION[::-1]))
    return path
