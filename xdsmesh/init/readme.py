"""The README of a folder that `xdsmesh init` has made: what is in it, how it starts, and what to do next."""

from collections.abc import Sequence

from xdsmesh.init.addresses import Addresses
from xdsmesh.init.services import Service


def compose_readme(services: Sequence[Service], addresses: Addresses) -> str:
    """For containers."""
    return f"""\
# Your services in a mesh, in containers

```sh
docker compose up
```

`.env` names the images: xdsmesh's is made by `docker build -t xdsmesh:local .` in its source. Tokens and
certificates are made on first start, and kept in volumes; `docker compose down --volumes` forgets them.

{_table(services, "{caller}-envoy:{port}")}
- An application listens on all addresses of its container (0.0.0.0), not on 127.0.0.1: its sidecar is another
  container.
- An application without an image is a stand-in. To put yours in its place, write `image:` or `build:` instead
  of `<<: *stand-in` and `environment:` in `compose.yaml`.

| what | where |
| --- | --- |
| who may call whom; what is not allowed is denied | `mesh/intentions-*.hcl` |
| the services, and whom they call at which port | `mesh/service-*.hcl` |
| what they speak: http, but for those with a `protocol-*.hcl` | `mesh/proxy-defaults.hcl` |
| the bootstrap of each sidecar | `envoy/sidecars/` |

`mesh/` is followed while it runs: edit, and it takes hold at once. `docker compose logs control-plane` tells
what is wrong with a file.

- The addresses are those of {addresses.subnet}. If docker says that a pool overlaps, something on your
  machine has them, such as another mesh: make this folder anew with `--subnet 10.74.0.0/16`, or another
  that is free.
- For one service more, too, make a new folder with all of them, and carry over what you have edited.

```sh
docker compose exec control-plane xdsmesh proxies
docker compose exec control-plane xdsmesh services list
```
"""


def systemd_readme(services: Sequence[Service]) -> str:
    """For units."""
    sidecars = " ".join(f"xdsmesh-sidecar-{each.name}" for each in services)
    return f"""\
# Your services in a mesh, on this machine

As root:

```sh
mkdir -p /etc/xdsmesh
cp -r mesh README.md /etc/xdsmesh/
cp units/*.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now xdsmesh {sidecars}
```

{_table(services, "127.0.0.1:{port}")}
- Your applications have units of their own. They listen on 127.0.0.1, and call others at the addresses above.
- `/etc/xdsmesh/mesh` is followed: edit, and it takes hold at once. `intentions-*.hcl` say who may call whom,
  and what they do not allow is denied; `service-*.hcl` are the services and whom they call at which port;
  `proxy-defaults.hcl` says what they speak: http, but for those with a `protocol-*.hcl`.
- A sidecar goes on while the control plane is away, and a restart of one does not restart the other.
- Whoever has an account on this machine reaches what listens on 127.0.0.1: the applications, and the control
  plane, which takes its word for an operator's. Accounts are not kept from one another by this mesh.

```sh
xdsmesh proxies
xdsmesh services list
journalctl -u xdsmesh
```
"""


def _table(services: Sequence[Service], address: str) -> str:
    tcp = {each.name for each in services if each.protocol == "tcp"}
    calls = [(each.name, upstream) for each in services for upstream in each.upstreams]
    rows = [
        f"| {caller} | {called.service} | `{'' if called.service in tcp else 'http://'}"
        f"{address.format(caller=caller, port=called.port)}` |"
        for caller, called in calls
    ]
    if not rows:
        what = "No service calls another one yet"
        return f"{what}: `upstreams` in `mesh/service-*.hcl` say who does, and intentions who may.\n"
    return "\n".join(["| application | calls | at |", "| --- | --- | --- |", *rows]) + "\n"
