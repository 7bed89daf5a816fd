"""A server that speaks as much of Vault's PKI engine as xdsmesh asks for, over a real socket.

It stands in for Vault where none can be had: paths, fields and errors are those of
https://developer.hashicorp.com/vault/api-docs/secret/pki, with `cryptography` behind them.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from xdsmesh.ca.certificates import usage

Json = dict[str, Any]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
TOKEN = "hvs.a-secret-of-the-mesh"


class RefusalError(Exception):
    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(*errors)
        self.status, self.errors = status, errors


class Issuer:
    def __init__(self, name: str, key: Key, certificate: x509.Certificate) -> None:
        self.id, self.name, self.key, self.key_id = str(uuid4()), name, key, str(uuid4())
        self.certificate = certificate


class Vault:
    """What it has: its mounts with their issuers, the default one first; and who has asked for what."""

    def __init__(self) -> None:
        self.mounts: dict[str, list[Issuer]] = {}
        self.asked: list[str] = []
        self.namespaces: set[str] = set()
        self.tokens = {TOKEN}
        self.address = ""
        self.sealed = False

    def answer(self, method: str, path: str, body: Json) -> Json:
        self.asked.append(f"{method} {path}")
        if self.sealed:
            raise RefusalError(503, "Vault is sealed")
        if path.startswith("sys/mounts/"):
            self.mounts[path.removeprefix("sys/mounts/")] = []
            return {}
        mount = next((each for each in self.mounts if path.startswith(f"{each}/")), None)
        if mount is None:
            raise RefusalError(404, f'no handler for route "{path}". route entry not found.')
        return self._pki(self.mounts[mount], method, path.removeprefix(f"{mount}/").split("/"), body)

    def _pki(self, issuers: list[Issuer], method: str, path: list[str], body: Json) -> Json:
        match method, path:
            case "LIST", ["issuers"]:
                if not issuers:
                    raise RefusalError(404)
                info = {each.id: {"is_default": each is issuers[0]} for each in issuers}
                return {"keys": [each.id for each in issuers], "key_info": info}
            case "GET", ["issuer", ref]:
                found = self._find(issuers, ref)
                pem = self._pem(found.certificate)
                return {"certificate": pem, "issuer_name": found.name, "key_id": found.key_id}
            case "POST", ["root", "generate" | "rotate", "internal"]:
                issuers.append(self._root(body))
                return {"certificate": self._pem(issuers[-1].certificate), "issuer_id": issuers[-1].id}
            case "POST", ["root", "sign-intermediate"]:
                return {"certificate": self._intermediate(self._find(issuers, body["issuer_ref"]), body)}
            case "POST", ["issuer", ref, "sign-self-issued"]:
                return {"certificate": self._crossed(self._find(issuers, ref), body["certificate"])}
            case "DELETE", ["issuer", ref]:
                issuers.remove(self._find(issuers, ref))
            case "DELETE", ["key", _]:
                pass
            case _:
                raise RefusalError(405, "unsupported operation")
        return {}

    def _find(self, issuers: list[Issuer], ref: str) -> Issuer:
        for each in issuers:
            if each.id == ref:
                return each
        raise RefusalError(500, f"unable to find PKI issuer for reference: {ref}")

    def _pem(self, certificate: x509.Certificate) -> str:
        return certificate.public_bytes(Encoding.PEM).decode().strip()

    def _root(self, body: Json) -> Issuer:
        bits = int(body["key_bits"])
        curves = {256: ec.SECP256R1(), 384: ec.SECP384R1()}
        key: Key = (
            rsa.generate_private_key(65537, bits)
            if body["key_type"] == "rsa"
            else ec.generate_private_key(curves[bits])
        )
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, body["common_name"])])
        builder = self._authority(name, name, key.public_key(), body)
        if uri := body.get("uri_sans"):
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
            builder = builder.add_extension(names, critical=False)
        return Issuer(body.get("issuer_name", ""), key, builder.sign(key, SHA256()))

    def _intermediate(self, issuer: Issuer, body: Json) -> str:
        request = x509.load_pem_x509_csr(body["csr"].encode())
        root = issuer.certificate
        builder = self._authority(request.subject, root.subject, request.public_key(), body, path_length=0)
        if body["use_csr_values"]:
            names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            builder = builder.add_extension(names.value, critical=False)
        key_id = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        signed_by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id)
        return self._pem(builder.add_extension(signed_by, critical=False).sign(issuer.key, SHA256()))

    def _crossed(self, issuer: Issuer, pem: str) -> str:
        other = x509.load_pem_x509_certificate(pem.encode())
        if other.issuer != other.subject:
            raise RefusalError(400, "given certificate is not self-issued")
        builder = x509.CertificateBuilder(
            issuer.certificate.subject, other.subject, other.public_key(), x509.random_serial_number()
        )
        builder = builder.not_valid_before(other.not_valid_before_utc)
        builder = builder.not_valid_after(other.not_valid_after_utc)
        for each in other.extensions:
            if not isinstance(each.value, x509.AuthorityKeyIdentifier):
                builder = builder.add_extension(each.value, each.critical)
        return self._pem(builder.sign(issuer.key, SHA256()))

    def _authority(
        self, subject: x509.Name, issuer: x509.Name, key: Any, body: Json, path_length: int | None = None
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
            .not_valid_before(now - seconds(body["not_before_duration"]))
            .not_valid_after(now + seconds(body["ttl"]))
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def seconds(text: str) -> timedelta:
    return timedelta(seconds=int(text.removesuffix("s")))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, vault: Vault, port: int = 0) -> None:
        self.vault = vault
        super().__init__(("127.0.0.1", port), Handler)
        vault.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Answer; a client that refuses our certificate is none of ours."""
        with suppress(ssl.SSLError, ConnectionError):
            super().handle()

    def _reply(self) -> None:
        vault = self.server.vault
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        vault.namespaces.add(self.headers.get("X-Vault-Namespace", ""))
        status, sent = 200, Json()
        try:
            if self.headers.get("X-Vault-Token") not in vault.tokens:
                raise RefusalError(403, "permission denied")  # noqa: TRY301
            sent = {"data": vault.answer(self.command, self.path.removeprefix("/v1/"), body)}
        except RefusalError as refusal:
            status, sent = refusal.status, {"errors": list(refusal.errors)}
        data = json.dumps(sent).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_LIST = do_DELETE = _reply  # noqa: N815 - as the base class has them


class Running:
    """A Vault that can go away and come back at the same address."""

    def __init__(self) -> None:
        self.vault = Vault()
        self._server: Server | None = None
        self._port = 0

    def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = Server(self.vault, self._port)
        self._port = self._server.server_port
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.vault.address = f"https://127.0.0.1:{self._port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    running = Running()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def vault(running: Running) -> Vault:
    return running.vault
