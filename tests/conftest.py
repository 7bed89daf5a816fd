"""Options of the whole suite, and what tests of several parts need."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew instead of comparing with them; read the diff before you commit it",
    )


def _pair(name: str = "shop.example.com", dns_names: Sequence[str] = (), key: Any = None) -> tuple[str, str]:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    if dns_names:
        names = x509.SubjectAlternativeName([x509.DNSName(each) for each in dns_names])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(key, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), pem.decode()


@pytest.fixture(scope="session")
def pair() -> Callable[..., tuple[str, str]]:
    """Makes a certificate and its key in PEM."""
    return _pair
