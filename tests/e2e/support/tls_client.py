"""A client that speaks TLS, with a certificate or without."""

import ssl

from .client import Exchange, head


class TlsClient:
    """Shows `certificate`, if there is one, and trusts the server that has `server`. After each answer it has the
    `session`, to be resumed, and knows whether it `was_resumed` itself."""

    def __init__(self, server, certificate=None, version=ssl.TLSVersion.TLSv1_3):
        self.context = ssl.create_default_context(cafile=server.file)
        self.context.minimum_version = self.context.maximum_version = version
        if certificate:
            self.context.load_cert_chain(certificate.file)
        self.session = None
        self.was_resumed = None

    def begin(self, port, path, headers=(), session=None):
        """Sends a whole request and does not wait for the answer."""
        return _TlsExchange(self, port, head(path, headers), session)

    def send(self, port, path, headers=(), session=None):
        """One request and its answer."""
        return self.begin(port, path, headers, session).response()


class _TlsExchange(Exchange):
    def __init__(self, client, port, data, session):
        self._client, self._session = client, session
        super().__init__(port, data)

    def _connect(self, port):
        plain = super()._connect(port)
        return self._client.context.wrap_socket(plain, server_hostname="api.example", session=self._session)

    def leave(self):
        # TLS 1.3 brings the session with the answer.
        self._client.session, self._client.was_resumed = self._socket.session, self._socket.session_reused
        super().leave()
