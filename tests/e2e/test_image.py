"""The OCI image: what the fetchers of Istio and Envoy Gateway accept, and the same bytes wherever it is made."""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile

import pytest

from support.bootstrap import WASM
from support.envoy import ROOT

OCI = "application/vnd.oci.image."


def make(folder):
    """Makes the image there."""
    subprocess.run([sys.executable, ROOT / "tools/image", WASM, folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return make(tmp_path_factory.mktemp("image") / "layout")


def blob(image, descriptor):
    """A blob, which has the digest and the size that its descriptor says."""
    algorithm, name = descriptor["digest"].split(":")
    data = (image / "blobs" / algorithm / name).read_bytes()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (name, descriptor["size"])
    return data


def test_the_layout_is_what_the_fetchers_accept(image):
    assert json.loads((image / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    [described] = json.loads((image / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(image, described))
    assert manifest["mediaType"] == described["mediaType"] == OCI + "manifest.v1+json"
    assert manifest["annotations"]["module.wasm.image/variant"] == "compat"
    # Exactly one layer of this type, with the module under this name.
    [layer] = manifest["layers"]
    assert layer["mediaType"] == OCI + "layer.v1.tar+gzip"
    archive = gzip.decompress(blob(image, layer))
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        [member] = files.getmembers()
        assert (member.name, member.isfile(), member.mtime, member.uid) == ("plugin.wasm", True, 0, 0)
        assert files.extractfile(member).read() == WASM.read_bytes()
    config = json.loads(blob(image, manifest["config"]))
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(archive).hexdigest()}"]
    assert config["config"]["Labels"]["org.opencontainers.image.title"] == "jwt-warden"
    assert len(list((image / "blobs/sha256").iterdir())) == 3


def test_the_image_is_the_same_wherever_it_is_made(image, tmp_path):
    again = make(tmp_path / "elsewhere")
    files = sorted(path.relative_to(image) for path in image.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((image / file).read_bytes() == (again / file).read_bytes() for file in files)
