"""A mesh on one Linux machine: a unit for the control plane, and one for each sidecar.

Settings of units: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
"""

from collections.abc import Iterator, Sequence
from typing import Final

from xdsmesh.init.mesh import definition, mesh_files, upstream_lines
from xdsmesh.init.readme import systemd_readme
from xdsmesh.init.services import Service, clashes

_HERE: Final = "127.0.0.1"
_HTTP: Final = 8500
_XDS: Final = 8502
_FIRST_SIDECAR: Final = 21000

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
    """The files by their paths, and the ports that two want. ``command`` is where xdsmesh is installed."""
    ports = {each.name: _FIRST_SIDECAR + index for index, each in enumerate(services)}
    definitions = {each.name: _definition(each, ports[each.name]) for each in services}
    files = {
        "README.md": systemd_readme(services),
        **mesh_files(services, definitions),
        "units/xdsmesh.service": _server(command),
        **{f"units/{unit(each)}": _sidecar(each, command) for each in services},
    }
    return files, tuple(clashes(list(_listeners(services, ports))))


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


def _listeners(services: Sequence[Service], sidecars: dict[str, int]) -> Iterator[tuple[str, int, str]]:
    yield _HERE, _HTTP, "the control plane"
    yield _HERE, _XDS, "the control plane"
    for each in services:
        yield _HERE, sidecars[each.name], f"the sidecar of {each.name}"
        yield _HERE, each.port, each.name
        for upstream in each.upstreams:
            yield _HERE, upstream.port, f"{each.name}'s way to {upstream.service}"
