"""What token somebody wants, as callers of the HTTP API and the command write it."""

from collections.abc import Iterator, Mapping
from typing import Final

from xdsmesh.config import rules
from xdsmesh.config.entry import Definition
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem
from xdsmesh.model.identity import OPERATOR, Identity, IdentityKind, service_identity

GATEWAYS: Final[Mapping[str, IdentityKind]] = {
    "mesh": IdentityKind.MESH_GATEWAY,
    "ingress": IdentityKind.INGRESS_GATEWAY,
    "terminating": IdentityKind.TERMINATING_GATEWAY,
    "api": IdentityKind.API_GATEWAY,
}
_LONGEST: Final = 256


class TokenBody(Definition, frozen=True):
    """Who a token is for: a ``Service``, a ``Gateway`` of a kind by its ``Name``, or an ``Operator``."""

    service: str = ""
    gateway: str = ""
    name: str = ""
    operator: bool = False
    description: str = ""

    @property
    def identity(self) -> Identity:
        """Who that is, of a body without problems."""
        if self.operator:
            return OPERATOR
        return Identity(GATEWAYS[self.gateway], self.name) if self.gateway else service_identity(self.service)

    def problems(self) -> Iterator[Problem]:
        """What is wrong: nobody, or more than one is named, or somebody who can't be."""
        given = {"Service": self.service, "Gateway": self.gateway, "Operator": self.operator}
        yield from rules.exclusive("", given)
        if not any(given.values()):
            what = "who the token is for is not said"
            remedy = "give one of Service, Gateway and Operator"
            yield rules.problem("", what, remedy, code=Code.REQUIRED)
        if self.service:
            yield from rules.name("Service", self.service)
        yield from rules.one_of("Gateway", self.gateway, ("", *GATEWAYS))
        if self.gateway:
            yield from rules.name("Name", self.name)
        elif self.name:
            what = "Name is that of a gateway"
            yield rules.problem("Name", what, "add Gateway, or use Service", code=Code.NEEDS_ANOTHER)
        yield from rules.printable("Description", self.description)
        if len(self.description) > _LONGEST:
            what = f"Description has {len(self.description)} characters"
            yield rules.problem("Description", what, f"write {_LONGEST} at most", code=Code.TOO_LONG)
