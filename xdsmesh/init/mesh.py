"""What the control plane reads: definitions of the services, what they speak, and who may call whom. HCL."""

from collections.abc import Iterator, Mapping, Sequence

from xdsmesh.init.services import Service, callers

PROXY_DEFAULTS = """\
# What all services speak but those with a protocol-*.hcl, such as this for a database:
#
#   Kind     = "service-defaults"
#   Name     = "db"
#   Protocol = "tcp"
Kind = "proxy-defaults"
Name = "global"
Config {
  protocol = "http"
}
"""


def mesh_files(services: Sequence[Service], definitions: Mapping[str, str]) -> dict[str, str]:
    """The files of ``mesh/``; ``definitions`` has the text that defines each service, by its name."""
    return {
        "mesh/proxy-defaults.hcl": PROXY_DEFAULTS,
        **{f"mesh/service-{name}.hcl": text for name, text in definitions.items()},
        **{f"mesh/protocol-{each.name}.hcl": _protocol(each) for each in services if each.protocol},
        **{f"mesh/intentions-{name}.hcl": text for name, text in _intentions(services)},
    }


def definition(service: Service, address: str, sidecar: Sequence[str], check: str = "") -> str:
    """Define a service; ``sidecar`` has the lines of ``sidecar_service``, ``check`` is its own check."""
    return f"""\
service {{
  id      = "{service.id}"
  name    = "{service.name}"
  address = "{address}"
  port    = {service.port}
{check}
  connect {{
    sidecar_service {{
{_indented(sidecar, 6)}
    }}
  }}
}}
"""


def upstream_lines(service: Service, bind_address: str) -> Iterator[str]:
    """The lines of ``proxy`` about whom a service calls."""
    if not service.upstreams:
        return
    yield "upstreams = ["
    for each in service.upstreams:
        yield "  {"
        yield f'    destination_name   = "{each.service}"'
        yield f'    local_bind_address = "{bind_address}"'
        yield f"    local_bind_port    = {each.port}"
        yield "  },"
    yield "]"


def _protocol(service: Service) -> str:
    return f"""\
Kind     = "service-defaults"
Name     = "{service.name}"
Protocol = "{service.protocol}"
"""


def _intentions(services: Sequence[Service]) -> Iterator[tuple[str, str]]:
    """By the name of each service that is called: who may. All else is denied by default."""
    for service in services:
        sources = "".join(
            f'  {{\n    Name   = "{each}"\n    Action = "allow"\n  }},\n'
            for each in callers(services, service.name)
        )
        if sources:
            yield (
                service.name,
                f'Kind = "service-intentions"\nName = "{service.name}"\nSources = [\n{sources}]\n',
            )


def _indented(lines: Sequence[str], by: int) -> str:
    return "\n".join(" " * by + line for line in lines)
