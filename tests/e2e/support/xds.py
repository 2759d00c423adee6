"""Listeners and clusters that Envoy takes from files, and again whenever these are replaced."""

import json

from . import bootstrap

RESOURCES = {
    "lds_config": "envoy.config.listener.v3.Listener",
    "cds_config": "envoy.config.cluster.v3.Cluster",
}


class Files:
    """The files in `folder`; `changes` is what Envoy's own configuration needs to read them."""

    def __init__(self, folder):
        self.folder = folder
        self._version = 0
        self.set_listeners()
        self.set_clusters()
        dynamic = {name: self._source(name) for name in RESOURCES}
        self.changes = {"node": {"id": "test", "cluster": "test"}, "dynamic_resources": dynamic}

    def set_listeners(self, *sites):
        """Replaces all listeners."""
        self._write("lds_config", [bootstrap.listener(site, self.folder) for site in sites])

    def set_clusters(self, **ports):
        """Replaces all clusters of these files."""
        self._write("cds_config", [bootstrap.cluster(name, port) for name, port in ports.items()])

    def _source(self, name):
        return {"path_config_source": {"path": str(self._file(name))}, "resource_api_version": "V3"}

    def _write(self, name, resources):
        self._version += 1
        typed = [{"@type": bootstrap.TYPE + RESOURCES[name], **resource} for resource in resources]
        new = self.folder / "new.json"
        new.write_text(json.dumps({"version_info": str(self._version), "resources": typed}))
        # Envoy watches for files that are moved here.
        new.replace(self._file(name))

    def _file(self, name):
        return self.folder / f"{name}.json"
