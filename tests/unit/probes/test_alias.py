"""What an alias says, from facts alone."""

from typing import Any

from xdsmesh.model.checks import Check, CheckStatus, CheckType, Health, Probe
from xdsmesh.probes.alias import Aliases

NODE = "n1"
FOUND_WELL = CheckStatus(Health.PASSING, "All checks passing.")
NONE_FOUND = CheckStatus(Health.PASSING, "No checks found.")


class Catalog:
    """Puts facts in, and remembers what each alias said last."""

    def __init__(self) -> None:
        self.aliases = Aliases(NODE)
        self.said: dict[str, CheckStatus] = {}

    def judge(self) -> set[str]:
        """The aliases that were looked at."""
        judged = dict(self.aliases.judge())
        self.said |= judged
        return set(judged)

    def service(self, service_id: str, node: str = NODE, *, exists: bool = True) -> set[str]:
        self.aliases.put_service(node, service_id, exists=exists)
        return self.judge()

    def check(
        self, check_id: str, status: Health = Health.PASSING, node: str = NODE, **more: Any
    ) -> set[str]:
        check = Check(check_id, check_id, status, node=node, **more)
        self.aliases.put_check(node, check_id, check)
        return self.judge()

    def alias(self, check_id: str, target: str = "", of: str = "", **more: Any) -> set[str]:
        return self.check(
            check_id, Health.CRITICAL, type=CheckType.ALIAS, probe=Probe(target, alias_node=of), **more
        )

    def gone(self, check_id: str) -> set[str]:
        self.aliases.put_check(NODE, check_id, None)
        return self.judge()


def test_an_alias_follows_its_service_and_the_node() -> None:
    catalog = Catalog()
    catalog.service("web")
    catalog.alias("alias", "web", service_id="web-sidecar-proxy")
    assert catalog.said["alias"] == NONE_FOUND

    assert catalog.check("web:1", service_id="web") == {"alias"}
    assert catalog.said["alias"] == FOUND_WELL
    assert catalog.check("disk", Health.WARNING, output="90% full") == {"alias"}
    assert catalog.said["alias"] == CheckStatus(Health.WARNING, 'Aliased check "disk" failing: 90% full')
    catalog.check("web:1", Health.CRITICAL, service_id="web", output="refused")
    assert catalog.said["alias"] == CheckStatus(Health.CRITICAL, 'Aliased check "web:1" failing: refused')
    catalog.gone("web:1")
    assert catalog.said["alias"].status is Health.WARNING
    catalog.gone("disk")
    assert catalog.said["alias"] == NONE_FOUND


def test_other_services_and_nodes_are_not_its_matter() -> None:
    catalog = Catalog()
    catalog.service("web")
    catalog.alias("alias", "web", service_id="web-sidecar-proxy")

    assert catalog.check("db:1", Health.CRITICAL, service_id="db") == set()
    assert catalog.check("disk", Health.CRITICAL, node="n2") == set()
    assert catalog.service("db") == set()


def test_a_service_that_is_not_there_is_critical_until_it_comes() -> None:
    catalog = Catalog()
    catalog.alias("alias", "web")
    assert catalog.said["alias"] == CheckStatus(Health.CRITICAL, "Service web is not registered on node n1")

    assert catalog.service("web") == {"alias"}
    assert catalog.said["alias"] == NONE_FOUND
    catalog.service("web", exists=False)
    assert catalog.said["alias"].status is Health.CRITICAL


def test_a_check_nobody_has_spoken_for_is_failing() -> None:
    catalog = Catalog()
    catalog.service("web")
    catalog.check("web:1", Health.UNSAID, service_id="web")
    catalog.alias("alias", "web")

    assert catalog.said["alias"].status is Health.CRITICAL


def test_an_alias_of_another_node_counts_what_is_there() -> None:
    catalog = Catalog()
    catalog.alias("service", "web", of="n2")
    catalog.alias("node", of="n2")
    catalog.service("web", "n2")
    catalog.check("web:1", Health.WARNING, "n2", service_id="web")
    assert (catalog.said["service"].status, catalog.said["node"].status) == (
        Health.WARNING,
        Health.PASSING,
    )

    catalog.check("disk", Health.CRITICAL, "n2")
    assert {status.status for status in catalog.said.values()} == {Health.CRITICAL}


def test_aliases_of_other_nodes_are_not_judged() -> None:
    catalog = Catalog()

    assert catalog.alias("alias", "web", node="n2") == set()


def test_an_alias_of_an_alias_follows_what_is_behind_it() -> None:
    catalog = Catalog()
    for service in ("web", "api", "db"):
        catalog.service(service)
    catalog.alias("first", "api", service_id="web")
    catalog.alias("second", "db", service_id="api")
    catalog.check("db:1", service_id="db")

    assert catalog.check("db:1", Health.CRITICAL, service_id="db") == {"first", "second"}
    assert catalog.said["first"] == catalog.said["second"]
    assert catalog.said["first"].status is Health.CRITICAL


def test_a_circle_of_aliases_does_not_hold_itself_down() -> None:
    catalog = Catalog()
    catalog.service("web")
    catalog.service("api")
    catalog.alias("web:1", "api", service_id="web")
    catalog.alias("api:1", "web", service_id="api")
    catalog.alias("own", "web", service_id="web")
    catalog.alias("of the node", "web")
    catalog.judge()
    assert {status.status for status in catalog.said.values()} == {Health.PASSING}

    catalog.check("api:2", Health.WARNING, service_id="api")
    assert {status.status for status in catalog.said.values()} == {Health.WARNING}
    catalog.check("api:2", service_id="api")
    assert set(catalog.said.values()) == {FOUND_WELL}


def test_a_check_that_moves_to_another_service_leaves_the_first() -> None:
    catalog = Catalog()
    catalog.service("web")
    catalog.service("api")
    catalog.check("check", Health.CRITICAL, service_id="web")
    catalog.alias("alias", "web")
    catalog.check("check", Health.CRITICAL, service_id="api")
    assert catalog.said["alias"] == NONE_FOUND

    catalog.alias("alias", "api")
    assert catalog.said["alias"].status is Health.CRITICAL
    assert catalog.check("other", service_id="web") == set()


def test_what_is_gone_leaves_nothing_behind() -> None:
    catalog = Catalog()
    catalog.service("web")
    catalog.check("web:1", service_id="web")
    catalog.alias("alias", "web")
    for check_id in ("alias", "web:1"):
        assert catalog.gone(check_id) == set()
    catalog.service("web", exists=False)

    aliases = catalog.aliases
    assert not any((aliases._groups, aliases._home, aliases._services, aliases._followers))
