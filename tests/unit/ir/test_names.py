from xdsmesh.ir import names


def test_a_listener_is_named_by_where_it_listens() -> None:
    assert names.public_listener("10.0.0.1", 21000) == "public_listener:10.0.0.1:21000"
    assert names.upstream_listener("db", "127.0.0.1", 9191) == "db:127.0.0.1:9191"


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert names.public_listener("::1", 21000) == "public_listener:[::1]:21000"


def test_statistics_are_named_as_in_consul() -> None:
    assert names.upstream_stat_prefix("db", "dc1") == "upstream.db.default.default.dc1"
