"""Health checks in a service definition. Probes are not built yet: others say what a check's status is.

Shape: https://developer.hashicorp.com/consul/docs/reference/service/health-check.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Shape
from xdsmesh.config.wording import quoted
from xdsmesh.model.catalog import Check, Health
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem


class CheckDefinition(Shape, frozen=True):
    """One check; its id stands under either of two keys."""

    UNBUILT: ClassVar[frozenset[str]] = frozenset(
        {
            "AliasNode",
            "AliasService",
            "Args",
            "Body",
            "DeregisterCriticalServiceAfter",
            "DisableRedirects",
            "DockerContainerID",
            "FailuresBeforeCritical",
            "FailuresBeforeWarning",
            "GRPC",
            "GRPCUseTLS",
            "H2PING",
            "H2PingUseTLS",
            "HTTP",
            "Header",
            "Interval",
            "Method",
            "OSService",
            "OutputMaxSize",
            "Script",
            "ScriptArgs",
            "Shell",
            "SuccessBeforePassing",
            "TCP",
            "TCPUseTLS",
            "TLSServerName",
            "TLSSkipVerify",
            "TTL",
            "Timeout",
            "Token",
            "UDP",
        }
    )

    check_id: str = field(default="", name="CheckID")
    id: str = field(default="", name="ID")
    name: str = ""
    status: str = ""
    notes: str = ""

    @property
    def own_id(self) -> str:
        """The id that it was given, if any."""
        return self.check_id or self.id

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the check."""
        words = [health.value for health in Health if health]
        if self.status and self.status not in words:
            what = f"{quoted(self.status)} is not the status of a check"
            remedy = f"use one of {', '.join(words)}"
            yield rules.problem(f"{path}.Status", what, remedy, code=Code.NOT_A_CHOICE)


def make_checks(definitions: Sequence[CheckDefinition], service: str, service_id: str) -> tuple[Check, ...]:
    """The catalog's form of an instance's checks.

    A check without a status is critical until somebody says otherwise. One without an id is called after
    the instance, with its number from 1 if there are several.
    """
    return tuple(
        Check(
            id=definition.own_id
            or (f"service:{service_id}" + (f":{number}" if len(definitions) > 1 else "")),
            name=definition.name or f"Service '{service}' check",
            status=Health(definition.status or Health.CRITICAL),
            notes=definition.notes,
        )
        for number, definition in enumerate(definitions, start=1)
    )
