"""Whoever issues tokens: a key, its public half as a JSON Web Key Set, and tokens that it signs."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]

HOUR = 3600


@dataclass(frozen=True)
class Signer:
    """A key; ``alg`` is the word of RFC 7518 for what it does."""

    alg: str
    jwk: Json
    sign: Callable[[bytes], bytes]

    @classmethod
    def rs256(cls) -> Self:
        key = rsa.generate_private_key(65537, 2048)
        public = key.public_key().public_numbers()
        jwk = {"kty": "RSA", "n": _number(public.n, 256), "e": _number(public.e, 3)}
        return cls("RS256", jwk, lambda data: key.sign(data, padding.PKCS1v15(), SHA256()))

    @classmethod
    def es256(cls) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_numbers()
        jwk = {"kty": "EC", "crv": "P-256", "x": _number(public.x, 32), "y": _number(public.y, 32)}

        def sign(data: bytes) -> bytes:
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")

        return cls("ES256", jwk, sign)

    @property
    def key_set(self) -> str:
        """The public half, as providers publish it."""
        return json.dumps({"keys": [{**self.jwk, "alg": self.alg, "use": "sig", "kid": self.alg}]})

    def token(self, **claims: Any) -> str:
        """A token that is right where the provider is ``https://issuer`` and the audience ``shop``."""
        usual = {"iss": "https://issuer", "aud": "shop", "sub": "ann", "exp": int(time.time()) + HOUR}
        head = {"alg": self.alg, "typ": "JWT", "kid": self.alg}
        signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, usual | claims))
        return f"{signed}.{_base64(self.sign(signed.encode()))}"


def _number(value: int, size: int) -> str:
    return _base64(value.to_bytes(size, "big"))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
