"""Which servers of a private authority are reached: the same ones on every Python."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from riverstone.api.access.openid import _strict
from riverstone.api.client import Client
from riverstone.api.errors import ServerUnavailable
from riverstone.engine import Invalid
from riverstone.engine.secret_sources.references import read_reference
from riverstone.engine.secret_sources.source import SecretUnavailable
from riverstone.engine.secret_sources.vault import VaultSecrets


class Holder:
    """Somebody with a key, and with a certificate that the one above has signed."""

    def __init__(self, name: str, above: Holder | None = None, *, authority: bool, names_key: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer, now = above or self, datetime.now(UTC)
        made = (
            x509.CertificateBuilder(signer.name, self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
        )
        if authority:
            use = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "encipher_only", "decipher_only"), False
            )  # fmt: skip
            made = made.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **use), critical=True)
        else:
            local = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            made = made.add_extension(local, critical=False)
        if names_key:
            of_signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
            made = made.add_extension(of_signer, critical=False)
        self.certificate = made.sign(signer.key, hashes.SHA256())

    def write(self, folder: Path) -> str:
        file = folder / f"{self.certificate.serial_number}.pem"
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(key + self.certificate.public_bytes(Encoding.PEM))
        return str(file)


class Nothing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(file: str) -> Iterator[str]:
    """The address of a server with the certificate of a file."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: object, address: object) -> None:
            with suppress(OSError):
                wrapped = context.wrap_socket(request, server_side=True)  # type: ignore[arg-type]
                with wrapped:
                    super().finish_request(wrapped, address)

    with Server(("127.0.0.1", 0), Nothing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def client_reaches(address: str, ca: str) -> bool:
    with Client(address, retries=0, ca_certs=ca) as client:
        try:
            client.models()
        except ServerUnavailable as error:
            return error.code == "server-unknown"
    return True


def vault_reaches(address: str, ca: str) -> bool:
    try:
        return VaultSecrets(address, "token", ca=ca).find(read_reference("secret:a/b")) is None
    except SecretUnavailable:
        return False


def sign_in_reaches(address: str, ca: str) -> bool:
    with _strict(requests.Session()) as session:
        try:
            return bool(session.get(address, verify=ca, timeout=30).status_code == 404)
        except requests.exceptions.SSLError:
            return False


Reaches = Callable[[str, str], bool]
WAYS = pytest.mark.parametrize("reaches", [client_reaches, vault_reaches, sign_in_reaches])


@WAYS
def test_a_certificate_that_does_not_name_the_key_of_its_authority_is_refused(tmp_path: Path, reaches: Reaches) -> None:
    """RFC 5280, 4.2.1.1; CPython asks for it since 3.13."""
    root = Holder("root", authority=True)
    with serving(Holder("server", root, authority=False).write(tmp_path)) as address:
        assert reaches(address, root.write(tmp_path))
    with serving(Holder("server", root, authority=False, names_key=False).write(tmp_path)) as address:
        assert not reaches(address, root.write(tmp_path))


@WAYS
def test_an_authority_may_be_trusted_without_the_one_above_it(tmp_path: Path, reaches: Reaches) -> None:
    between = Holder("between", Holder("root", authority=True), authority=True)
    with serving(Holder("server", between, authority=False).write(tmp_path)) as address:
        assert reaches(address, between.write(tmp_path))


def test_certificates_that_cannot_be_read_are_told_when_a_client_is_made(tmp_path: Path) -> None:
    for text in (None, "no certificate"):
        file = tmp_path / "ca.pem"
        if text is not None:
            file.write_text(text)
        with pytest.raises(Invalid, match="cannot be read") as refused:
            Client("https://127.0.0.1:1", ca_certs=str(file))
        assert refused.value.code == "settings-invalid"
