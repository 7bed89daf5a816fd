"""Certificates that gateways show, and their keys."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from xdsmesh.config.files import decode_entry
from xdsmesh.model.errors import RefusedError

Pair = Callable[..., tuple[str, str]]


def body(certificate: str, key: str) -> bytes:
    return json.dumps(
        {"Kind": "inline-certificate", "Name": "shop", "Certificate": certificate, "PrivateKey": key}
    ).encode()


def problems(certificate: str, key: str) -> list[str]:
    try:
        decode_entry(body(certificate, key))
    except RefusedError as error:
        return [problem.what for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(ec.generate_private_key(ec.SECP256R1()), id="P-256"),
        pytest.param(rsa.generate_private_key(65537, 2048), id="RSA of 2048 bits"),
    ],
)
def test_a_certificate_with_its_key_is_taken(pair: Pair, key: Any) -> None:
    assert problems(*pair(key=key)) == []


def test_a_chain_is_taken_and_the_first_certificate_is_the_one_of_the_key(pair: Pair) -> None:
    certificate, key = pair()
    authority, _ = pair(name="authority.example.com")

    assert problems(certificate + authority, key) == []
    assert problems(authority + certificate, key) == ["PrivateKey is not the key of Certificate"]


def test_a_key_of_the_older_form_is_taken(pair: Pair) -> None:
    key = rsa.generate_private_key(65537, 2048)
    certificate, _ = pair(key=key)
    older = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    assert older.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert problems(certificate, older.decode()) == []


@pytest.mark.parametrize(
    "name", ["", "localhost", "*.example.com", "192.0.2.7", "::1", "under_score.example.com"]
)
def test_common_names_that_a_caller_may_ask_for_are_taken(pair: Pair, name: str) -> None:
    assert problems(*pair(name=name)) == []


@pytest.mark.parametrize("name", ["a..b", "-a.example.com", "a b", "x" * 64])
def test_common_names_that_nobody_can_ask_for_are_refused(pair: Pair, name: str) -> None:
    assert problems(*pair(name=name)) == [f"Certificate is for {name!r}, which is not a host name"]


def test_dns_names_that_nobody_can_ask_for_are_refused(pair: Pair) -> None:
    certificate, key = pair(dns_names=["shop.example.com", "*.example.com", "a*.example.com", "a..b"])

    assert problems(certificate, key) == [
        "Certificate is for 'a*.example.com', which is not a host name",
        "Certificate is for 'a..b', which is not a host name",
    ]


def test_a_short_rsa_key_is_refused(pair: Pair) -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is what is tested

    assert problems(*pair(key=short)) == ["PrivateKey is an RSA key of 1024 bits, not of 2048 to 8192"]


def test_an_rsa_key_whose_secret_parts_are_wrong_is_refused(pair: Pair) -> None:
    key = rsa.generate_private_key(65537, 2048)
    certificate, _ = pair(key=key)
    numbers, other = key.private_numbers(), rsa.generate_private_key(65537, 2048).private_numbers()
    broken = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, other.d, other.dmp1, other.dmq1, other.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    pem = broken.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    assert problems(certificate, pem) == ["PrivateKey is not the key of Certificate"]


@pytest.mark.timeout(20)  # to check such a key takes minutes
def test_an_absurdly_long_rsa_key_is_refused_at_once(pair: Pair) -> None:
    p, q = 2**9941 - 1, 2**9689 - 1
    d = pow(65537, -1, (p - 1) * (q - 1))
    long = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, p * q)
    ).private_key(unsafe_skip_rsa_key_validation=True)
    pem = long.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    certificate, _ = pair()

    found = problems(certificate, pem)
    assert "PrivateKey is an RSA key of 19630 bits, not of 2048 to 8192" in found


def test_somebody_elses_key_is_refused(pair: Pair) -> None:
    certificate, _ = pair()
    _, key = pair()

    assert problems(certificate, key) == ["PrivateKey is not the key of Certificate"]


def test_a_key_with_a_password_is_refused(pair: Pair) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, _ = pair(key=key)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))

    assert problems(certificate, locked.decode()) == [
        "PrivateKey is not a private key in PEM without a password"
    ]


def test_a_broken_certificate_and_a_broken_key_are_both_told(pair: Pair) -> None:
    certificate, key = pair()

    assert problems(certificate.replace("M", "N", 1), key[: len(key) // 2]) == [
        "Certificate is not an X.509 certificate in PEM",
        "PrivateKey is not a private key in PEM without a password",
    ]


def test_certificate_and_key_the_wrong_way_round_are_refused(pair: Pair) -> None:
    certificate, key = pair()

    assert len(problems(key, certificate)) == 2


def test_the_key_is_in_no_log_and_in_no_problem(pair: Pair) -> None:
    certificate, key = pair()
    secret = key.splitlines()[1]

    assert secret not in repr(decode_entry(body(certificate, key)))
    with pytest.raises(RefusedError) as refusal:
        decode_entry(body("no certificate", key))
    assert secret not in str(refusal.value)
    with pytest.raises(RefusedError) as refusal:
        decode_entry(body(certificate, key.replace("PRIVATE", "SECRET")))
    assert secret not in str(refusal.value)
