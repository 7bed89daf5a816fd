"""The text of the compose file, which the plugin of docker and docker-compose 1.29 read."""

from typing import Final

from xdsmesh.init.addresses import Pair
from xdsmesh.init.services import Service

COMMON: Final = """\
# Your services in a mesh: `docker compose up`. README.md says how they call each other, and what to do next.
#
# A service is two containers: its application, and `-envoy`, its sidecar. They are by themselves in a network
# of their own, and only the sidecar is in the network `mesh`: so other containers find an application behind
# its sidecar. (A container that borrows the network of another one loses it when that one is started again.)

x-long-running: &long-running
  restart: unless-stopped
  init: true
  read_only: true
  cap_drop: [ALL]
  security_opt: [no-new-privileges]
  tmpfs: [/tmp]
  mem_limit: 256m
  pids_limit: 256

x-once: &once
  image: ${XDSMESH_IMAGE}
  restart: "no"
  read_only: true
  cap_drop: [ALL]
  security_opt: [no-new-privileges]
  tmpfs: [/tmp]

# What stands in for an application without an image: it says who it is, and /call/NAME calls an upstream.
x-stand-in: &stand-in
  <<: *long-running
  image: ${XDSMESH_IMAGE}
  entrypoint: [python, -m, xdsmesh.demo.app]
  healthcheck: {disable: true}

x-envoy: &envoy
  <<: *long-running
  image: ${ENVOY_IMAGE}
  user: "101:101"
  healthcheck:
    test:
      - CMD
      - bash
      - -c
      - |-
        exec 3<>/dev/tcp/127.0.0.1/9901
        printf 'GET /ready HTTP/1.1\\r\\nHost: envoy\\r\\nConnection: close\\r\\n\\r\\n' >&3
        grep -q LIVE <&3
    interval: 2s
    timeout: 5s
    retries: 15
    start_period: 60s # one that waits for its control plane is not ill, and compose would go no further

services:
  # A control plane that is reached from elsewhere asks for tokens, and wants one to be there before it
  # starts.
  operator:
    <<: *once
    network_mode: none
    entrypoint: [sh, -c]
    command:
      - >-
        test -e /data/operator.token ||
        xdsmesh token create --operator --data-dir /data --out /data/operator.token
    volumes: [data:/data]
"""

CONTROL_PLANE: Final = """
  control-plane:
    <<: *long-running
    image: ${{XDSMESH_IMAGE}}
    command: >-
      server --node control-plane --data-dir /data --config-dir /mesh --roots-file /trust/roots.pem
      --xds-addr off --xds-tls-addr 0.0.0.0:8503 --https-addr 0.0.0.0:8501 --advertise-addr {address}
    healthcheck:
      test: [CMD, python, -c, "from urllib.request import urlopen; urlopen('http://127.0.0.1:8500/v1/status/leader')"]
      interval: 2s
      timeout: 5s
      retries: 15
    depends_on:
      operator: {{condition: service_completed_successfully}}
    volumes: [data:/data, trust:/trust, ./mesh:/mesh:ro] # /trust has the roots, for the sidecars
    networks:
      mesh: {{ipv4_address: {address}}}

  tokens:
    <<: *once
    user: "0:0"
    cap_add: [DAC_READ_SEARCH, CHOWN] # it reads the operator's token, and gives these ones to Envoy's user
    environment:
      XDSMESH_HTTP_ADDR: https://{address}:8501
      XDSMESH_CACERT: /trust/roots.pem
      XDSMESH_TOKEN_FILE: /data/operator.token
    entrypoint: [make-tokens]
    depends_on:
      control-plane: {{condition: service_healthy}}
    networks:
      mesh: {{ipv4_address: {tokens}}}
    volumes:
      - data:/data:ro
      - trust:/trust:ro
"""

FOOT: Final = """
# `internal`: no way out but to those who are in it. Applications may call what is outside of the mesh.
# If docker says that a pool overlaps: README.md.
networks:
  mesh: {{internal: true, ipam: {{config: [{{subnet: {mesh}}}]}}}}
{networks}
volumes:
  data:
  trust:
{volumes}"""


def service_text(service: Service, pair: Pair) -> str:
    """The two containers of a service."""
    name = service.name
    return f"""
  {name}:
{_application(service)}{_published(service)}    networks:
      {name}: {{ipv4_address: {pair.application}}}

  {name}-envoy:
    <<: *envoy
    command: >-
      -c /etc/envoy-bootstrap/sidecars/{name}.yaml --disable-hot-restart --concurrency 1 --drain-time-s 10
      --log-level warning
    depends_on:
      {name}: {{condition: service_started}}
      tokens: {{condition: service_completed_successfully}}
    volumes: [./envoy:/etc/envoy-bootstrap:ro, trust:/etc/xdsmesh:ro, {name}-token:/run/xdsmesh:ro]
    networks:
      {name}: {{ipv4_address: {pair.sidecar}}}
      mesh: {{ipv4_address: {pair.in_mesh}}}
"""


def _application(service: Service) -> str:
    if service.image:
        return f"    image: {service.image}\n    restart: unless-stopped\n    init: true\n"
    calls = " ".join(f"{each.service}=http://{service.name}-envoy:{each.port}" for each in service.upstreams)
    upstreams = f"      UPSTREAMS: {calls}\n" if calls else ""
    return f"""\
    <<: *stand-in
    environment:
      SERVICE: {service.name}
      PORT: "{service.port}"
{upstreams}"""


def _published(service: Service) -> str:
    if not service.published:
        return ""
    return (
        f'    ports: ["127.0.0.1:{service.published}:{service.port}"] # for you, and not through the mesh\n'
    )
