"""A discovery chain as a tree: what decides first is at the root, instances are at the leaves."""

from collections.abc import Iterable

from rich.text import Text
from rich.tree import Tree

from xdsmesh.cli.chain_words import (
    Json,
    destination_words,
    header_words,
    load_balancer_words,
    match_words,
    resolver_words,
    target_words,
)


def chain_tree(chain: Json) -> Tree:
    """Draw a chain as the API answers it."""
    drawing = _Drawing(chain)
    root = Tree(_line(chain["ServiceName"], _about(chain), "bold"))
    drawing.node(root, chain["StartNode"])
    return root


class _Drawing:
    """The state of drawing one chain. A splitter that is reached several times is drawn in full once."""

    def __init__(self, chain: Json) -> None:
        self._nodes: dict[str, Json] = chain["Nodes"]
        self._targets: dict[str, Json] = chain["Targets"]
        self._drawn: set[str] = set()

    def node(self, parent: Tree, key: str) -> None:
        """Add a node and all that follows it."""
        node = self._nodes[key]
        if "Resolver" in node:
            self._resolver(parent, node)
        elif "Splits" in node:
            self._splitter(parent, key, node)
        else:
            self._router(parent, node)

    def _router(self, parent: Tree, node: Json) -> None:
        branch = parent.add(_line(f"router {_service(node)}"))
        for number, route in enumerate(node.get("Routes") or (), start=1):
            definition = route.get("Definition") or {}
            what = f"{number}. {match_words(definition)}"
            self.node(branch.add(_line(what, destination_words(definition), "cyan")), route["NextNode"])

    def _splitter(self, parent: Tree, key: str, node: Json) -> None:
        what, about = f"splitter {_service(node)}", load_balancer_words(node)
        if key in self._drawn:
            parent.add(_line(what, ["as above"]))
            return
        self._drawn.add(key)
        branch = parent.add(_line(what, about))
        for split in node["Splits"]:
            changes = header_words(split.get("Definition") or {})
            self.node(branch.add(_line(f"{split['Weight']:g}%", changes, "cyan")), split["NextNode"])

    def _resolver(self, parent: Tree, node: Json) -> None:
        resolver = node["Resolver"]
        target = self._targets[resolver["Target"]]
        about = [*target_words(target), *resolver_words(node)]
        branch = parent.add(_line(_name(target), about, "green"))
        for id_ in (resolver.get("Failover") or {}).get("Targets") or ():
            stand_in = self._targets[id_]
            branch.add(_line(f"if none is healthy: {_name(stand_in)}", target_words(stand_in), "yellow"))


def _about(chain: Json) -> list[str]:
    hash_ = chain.get("CustomizationHash")
    return [
        chain["Protocol"],
        f"called from {chain['Datacenter']}",
        *(["no entry shapes it"] if chain.get("Default") else ()),
        *([f"overridden ({hash_})"] if hash_ else ()),
    ]


def _service(node: Json) -> str:
    """The service of a router or splitter, whose names end in its namespace and partition."""
    return str(node["Name"]).rsplit(".", 2)[0]


def _name(target: Json) -> str:
    subset = target.get("ServiceSubset")
    return f"{target['Service']}, subset {subset}" if subset else str(target["Service"])


def _line(what: str, about: Iterable[str] = (), style: str = "") -> Text:
    """What it is, and behind it what is to say about it."""
    text = Text(what, style=style)
    for index, words in enumerate(about):
        text.append(f"{'; ' if index else '  '}{words}", style="not bold default")
    return text
