"""A collector of OpenTelemetry's: takes log records by OTLP over gRPC, and keeps them.

It is a process of its own: gRPC's threads and the forks by which the tests start Envoys do not go together.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import processes

from .wait import until


class Collector:
    """A running collector. `folder` holds what it has received."""

    def __init__(self, folder):
        self._folder = folder
        command = [sys.executable, "-m", "support.collector", folder]
        with open(folder / "collector.log", "w") as log:
            options = {"cwd": Path(__file__).parents[1], "stdout": log, "stderr": subprocess.STDOUT}
            self._process = processes.spawn(command, env={"PYTHONPATH": ":".join(sys.path)}, **options)
        until((folder / "port").exists)
        self.port = int((folder / "port").read_text())

    def received(self):
        """The bodies of the requests so far, as text."""
        return (self._folder / "received").read_text()

    def record(self, path):
        """The only record with this `url.path`, and the attributes of its resource; waits for it."""
        return until(lambda: next((both for both in self._records() if both[0]["url.path"] == path), None))

    def _records(self):
        for line in self.received().splitlines():
            for logs in json.loads(line)["resourceLogs"]:
                resource = _attributes(logs["resource"])
                for record in logs["scopeLogs"][0]["logRecords"]:
                    own = {"time": int(record["timeUnixNano"]) / 1e9, "body": record["body"]["stringValue"]}
                    yield {**own, **_attributes(record)}, resource

    def stop(self):
        """Ends it."""
        processes.stop(self._process)


def _attributes(message):
    return {each["key"]: each["value"]["stringValue"] for each in message["attributes"]}


def serve(folder):
    """Writes each request as a line of JSON into the folder, until the process is ended."""
    import grpc
    from google.protobuf.json_format import MessageToJson
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc

    with open(folder / "received", "w", buffering=1) as received:

        class Service(logs_service_pb2_grpc.LogsServiceServicer):
            def Export(self, request, context):  # noqa: N802
                received.write(MessageToJson(request, indent=None) + "\n")
                return logs_service_pb2.ExportLogsServiceResponse()

        server = grpc.server(ThreadPoolExecutor(1))
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(Service(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        (folder / "new").write_text(str(port))
        (folder / "new").replace(folder / "port")
        while True:
            time.sleep(600)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
