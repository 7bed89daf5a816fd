"""The authority as it stands in the store: one record, so that roots and intermediate change together."""

from collections.abc import Iterable
from typing import Final

import msgspec

from xdsmesh.ca.authority import Authority, Root, Standing
from xdsmesh.ca.intermediate import Intermediate
from xdsmesh.ca.sealing import Sealer
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Place, Problem, RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.store.base import Put, Record

AUTHORITY_KEY: Final = "ca/authority"
TRUST_DOMAIN_KEY: Final = "ca/trust-domain"
ROOT_KEYS: Final = "ca/root-keys/"
"""Where the built-in provider has the keys of its roots."""

ORIGIN: Final = Origin(Source.SERVER, "ca")
"""Who writes what is under ``ca/``, unless a caller of the API does."""

_RESTORE: Final = "restore the data folder from a copy, or start a new mesh with an empty one"


class _Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    certificate_pem: str
    standing: Standing
    cross_signed_pem: str = ""


class _Authority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The value at ``ca/authority``; the key of the intermediate is sealed."""

    roots: tuple[_Root, ...]
    intermediate_pem: str
    intermediate_key: bytes


def put(authority: Authority, sealer: Sealer) -> Put:
    """What stores an authority."""
    roots, intermediate = authority.roots, authority.intermediate
    stored = _Authority(
        tuple(_Root(each.certificate_pem, each.standing, each.cross_signed_pem) for each in roots),
        intermediate.certificate_pem,
        sealer.seal(AUTHORITY_KEY, intermediate.key_pem.encode()),
    )
    return Put(AUTHORITY_KEY, msgspec.json.encode(stored))


def decode(record: Record, trust_domain: str, sealer: Sealer) -> Authority:
    """The authority that a record holds.

    Raises:
        RefusedError: it is damaged, or was sealed with another key.
    """
    try:
        stored = msgspec.json.decode(record.value, type=_Authority)
        key = sealer.open(AUTHORITY_KEY, stored.intermediate_key).decode()
        intermediate = Intermediate.load(stored.intermediate_pem, key)
        roots = [
            Root.load(each.certificate_pem, each.standing, each.cross_signed_pem) for each in stored.roots
        ]
        return Authority.of(trust_domain, roots, intermediate, record.created, record.modified)
    except (ValueError, msgspec.MsgspecError) as error:
        raise damaged(f"the roots of this mesh are damaged: {error}") from error


def roots_of(record: Record) -> tuple[str, ...]:
    """The certificates of the roots that a record holds, in PEM."""
    return tuple(root.certificate_pem for root in msgspec.json.decode(record.value, type=_Authority).roots)


def has_sealed_keys(keys: Iterable[str]) -> bool:
    """Whether a store with these keys holds anything that is sealed."""
    return any(key == AUTHORITY_KEY or key.startswith(ROOT_KEYS) for key in keys)


def damaged(what: str) -> RefusedError:
    """What to say of an authority that can't be used."""
    return trust_problem(what, _RESTORE)


def trust_problem(what: str, remedy: str) -> RefusedError:
    """A refusal that is about whom the mesh trusts."""
    return RefusedError(Problem(Place(), what, remedy, code=Code.TRUST))
