"""The provider of a secondary datacenter: the roots are the primary's, which certifies our intermediate."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, NoReturn

from cryptography import x509

from xdsmesh.ca.authority import root_id
from xdsmesh.ca.stored import trust_problem
from xdsmesh.model.errors import RefusedError

AskPrimary = Callable[[str, str, timedelta], Awaitable[str]]
"""Has the primary certify an intermediate: by the id of the root, a request in PEM, and for how long.

The certificate, PEM; or a ``RefusedError`` that says why there is none.
"""


class PrimaryProvider:
    """Has the primary sign, and leaves all else to it; see `Provider`."""

    def __init__(self, primary: str, ask: AskPrimary) -> None:
        """Ask nobody yet; ``primary`` is the name of that datacenter."""
        self._primary: Final = primary
        self._ask: Final = ask

    async def root(self) -> str:
        """See `Provider.root`: it came when this datacenter joined."""
        self._refuse("the root is there since this datacenter joined")

    async def generate_root(self) -> str:
        """See `Provider.generate_root`."""
        self._refuse("a root is made in the primary datacenter only")

    async def sign_intermediate(self, root_pem: str, request_pem: str, lifetime: timedelta) -> str:
        """See `Provider.sign_intermediate`."""
        root = x509.load_pem_x509_certificate(root_pem.encode())
        return await self._ask(root_id(root), request_pem, lifetime)

    async def cross_sign(self, _root_pem: str, _other_pem: str) -> str:
        """See `Provider.cross_sign`."""
        self._refuse("only the primary datacenter lets a root vouch for another one")

    async def forget(self, _root_pem: str) -> None:
        """See `Provider.forget`: no key of a root is here."""

    def _refuse(self, what: str) -> NoReturn:
        raise not_primary(what, self._primary)


def not_primary(what: str, primary: str) -> RefusedError:
    """What to say in a secondary to what is to be done in the primary."""
    return trust_problem(what, f"ask the server of {primary}: the roots of this mesh are there")


async def no_link(_root_id: str, _request_pem: str, _lifetime: timedelta) -> str:
    """What answers before there are links to other datacenters."""
    what = "there is no way to the primary datacenter yet, which certifies the intermediate"
    raise trust_problem(what, "it is tried again; `xdsmesh dc status` shows the link to it")
