"""A mesh on one Linux machine: a unit for the control plane, and one for each sidecar.

Settings of units: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from xdsmesh.init.mesh import definition, mesh_files, upstream_lines
from xdsmesh.init.readme import systemd_readme
from xdsmesh.init.services import Service, clashes

_HERE: Final = "127.0.0.1"
_HTTP: Final = 8500
_XDS: Final = 8502
_FIRST_SIDECAR: Final = 21000
_FIRST_UNPRIVILEGED: Final = 1024

# What `systemd-analyze security` asks for, but for MemoryDenyWriteExecute: Envoy compiles while it runs.
_HARDENED: Final = """\
DynamicUser=yes
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
RemoveIPC=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""


def systemd_files(services: Sequence[Service], command: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """The files by their paths, and what is wrong with the ports. ``command`` is where xdsmesh is."""
    ports = _sidecar_ports(services)
    definitions = {each.name: _definition(each, ports[each.name]) for each in services}
    files = {
        "README.md": systemd_readme(services),
        **mesh_files(services, definitions),
        "units/xdsmesh.service": _server(command),
        **{f"units/{unit(each)}": _sidecar(each, command) for each in services},
    }
    return files, (*_forbidden(services), *clashes(list(_listeners(services))))


def unit(service: Service) -> str:
    """The name of the unit of a service's sidecar."""
    return f"xdsmesh-sidecar-{service.name}.service"


def _server(command: str) -> str:
    return f"""\
[Unit]
Description=The control plane of the mesh
Documentation=file:///etc/xdsmesh/README.md
After=network.target

[Service]
Type=exec
ExecStart={command} server \\
    --config-dir ${{CONFIGURATION_DIRECTORY}}/mesh --data-dir ${{STATE_DIRECTORY}} \\
    --http-addr {_HERE}:{_HTTP} --xds-addr {_HERE}:{_XDS}
Restart=always
RestartSec=1s

# /etc/xdsmesh, which it reads, and /var/lib/xdsmesh, which is its own.
ConfigurationDirectory=xdsmesh
StateDirectory=xdsmesh
StateDirectoryMode=0700
LimitNOFILE=65536

{_HARDENED}
[Install]
WantedBy=multi-user.target
"""


def _sidecar(service: Service, command: str) -> str:
    # Wants, not Requires: a sidecar goes on while the control plane is away.
    return f"""\
[Unit]
Description=The sidecar of {service.name}
Documentation=file:///etc/xdsmesh/README.md
Wants=xdsmesh.service
After=network.target xdsmesh.service
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command} envoy --sidecar-for {service.id} --http-addr {_HERE}:{_HTTP}
# It asks the control plane for its bootstrap, which may not be there yet: again and again, then.
Restart=always
RestartSec=1s
LimitNOFILE=65536

{_HARDENED}
[Install]
WantedBy=multi-user.target
"""


def _definition(service: Service, port: int) -> str:
    check = f"""
  check {{
    name     = "{service.name} can be connected to"
    tcp      = "{_HERE}:{service.port}"
    interval = "5s"
  }}
"""
    proxy = [f"  {line}" for line in upstream_lines(service, _HERE)]
    lines = [f"port = {port}", *(["proxy {", *proxy, "}"] if proxy else [])]
    return definition(service, _HERE, lines, check)


def _sidecar_ports(services: Sequence[Service]) -> dict[str, int]:
    """Where the other sidecars reach one: ports that nobody asked for."""
    asked = {port for _, port, _ in _listeners(services)}
    free = (port for port in count(_FIRST_SIDECAR) if port not in asked)
    return {each.name: next(free) for each in services}


def _forbidden(services: Sequence[Service]) -> Iterator[str]:
    for each in services:
        for upstream in each.upstreams:
            if 0 < upstream.port < _FIRST_UNPRIVILEGED:
                yield (
                    f"--upstream {each.name}:{upstream.service}:{upstream.port}: a sidecar is not root, and "
                    f"may not listen at {upstream.port}: write a port from {_FIRST_UNPRIVILEGED} on"
                )


def _listeners(services: Sequence[Service]) -> Iterator[tuple[str, int, str]]:
    yield _HERE, _HTTP, "the control plane"
    yield _HERE, _XDS, "the control plane"
    for each in services:
        yield _HERE, each.port, each.name
    for each in services:
        for upstream in each.upstreams:
            yield _HERE, upstream.port, f"{each.name}'s way to {upstream.service}"
