import json
from typing import Any

import pytest

from xdsmesh.config.files import ENDINGS, ParsedFile, decode_entry, decode_service, parse_file
from xdsmesh.config.kinds import KINDS
from xdsmesh.config.kinds.service_defaults import ServiceDefaults
from xdsmesh.model.errors import Place, RefusedError

SERVICES = """\
# two services, one of them with a sidecar
service {
  name = "web"
  port = 80
}

services = [
  {
    name = "api"
    id = "api-1"
    connect { sidecar_service {} }
  },
]

config_entries {
  bootstrap = [
    { kind = "service-defaults", name = "web", protocol = "http" },
    {
      kind = "proxy-defaults"
      config { protocol = "http" }
    },
  ]
}
"""


def parse(name: str, text: str) -> ParsedFile:
    return parse_file(name, text.encode())


def problems(name: str, text: str) -> list[str]:
    return [str(problem) for problem in parse(name, text).problems]


def refusal(body: bytes, decode: Any) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        decode(body)
    return [str(problem) for problem in refused.value.problems]


def test_a_file_holds_services_and_entries_with_their_places() -> None:
    parsed = parse("dir/all.hcl", SERVICES)

    assert parsed.problems == ()
    assert [(item.value.id, item.place) for item in parsed.services] == [
        ("web", Place("dir/all.hcl", 2, 1)),
        ("api-1", Place("dir/all.hcl", 8, 3)),
    ]
    assert [(item.value.KIND, item.value.name, item.place) for item in parsed.entries] == [
        ("service-defaults", "web", Place("dir/all.hcl", 17, 5)),
        ("proxy-defaults", "global", Place("dir/all.hcl", 18, 5)),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.hcl", 'service { name = "a" }\nservice { name = "b" }'),
        ("a.hcl", 'services = [{ name = "a" }, { name = "b" }]'),
        ("a.hcl", 'services { name = "a" }\nservices { name = "b" }'),
        ("a.json", '{"service": {"name": "a"}, "services": [{"name": "b"}]}'),
        ("a.json", '[{"Service": {"Name": "a"}}, {"service": {"name": "b"}}]'),
        ("a.yaml", "service:\n  name: a\n---\nservices:\n  - name: b\n"),
    ],
)
def test_services_come_in_several_forms(name: str, text: str) -> None:
    parsed = parse(name, text)

    assert parsed.problems == ()
    assert [item.value.name for item in parsed.services] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.hcl", 'check { id = "a", name = "A", ttl = "1s" }\ncheck { name = "b", alias_service = "web" }'),
        (
            "a.json",
            '{"checks": [{"ID": "a", "Name": "A", "TTL": "1s"}], "check": {"Name": "b", "TTL": "1s"}}',
        ),
        (
            "a.yaml",
            "checks:\n- {check_id: a, name: A, ttl: 1s}\n---\ncheck: {name: b, service_id: w, ttl: 1s}\n",
        ),
    ],
)
def test_checks_stand_beside_services(name: str, text: str) -> None:
    parsed = parse(name, text)

    assert parsed.problems == ()
    assert [(item.value.own_id, item.place.source) for item in parsed.checks] == [("a", name), ("b", name)]


def test_what_is_wrong_with_a_check_is_told_with_its_place() -> None:
    text = """\
service { name = "web" }
check { name = "a", ttl = "1s" }
checks = [
  { name = "b", id = "a", ttl = "1s" },
  { name = "c", intervall = "1s", tcp = "localhost:80" },
]
"""
    assert problems("a.hcl", text) == [
        "a.hcl:4:3: XM0408 the check id a is declared twice, first at line 2 (keep one of them)",
        "a.hcl:5:17: XM0203 unknown key intervall (did you mean interval?)",
    ]


@pytest.mark.parametrize(
    ("name", "text"), [("a.hcl", "# nothing"), ("a.json", "{}"), ("a.json", "[]"), ("a.yml", "")]
)
def test_a_file_may_hold_nothing(name: str, text: str) -> None:
    assert parse(name, text) == ParsedFile()


@pytest.mark.parametrize("ending", ENDINGS)
def test_endings_are_read_in_any_case(ending: str) -> None:
    assert parse(f"a{ending.upper()}", "").problems == parse(f"a{ending}", "").problems or ending == ".json"


@pytest.mark.parametrize("name", ["a.toml", "hcl", ".hclx", "a.hcl.bak"])
def test_other_endings_are_refused(name: str) -> None:
    assert problems(name, "") == [f"{name}: XM0107 files end in .hcl, .json, .yaml, .yml (rename it)"]


KEY_DUE = 'a key in double quotes is due here; no "," follows the last member'
UNQUOTED = "is not in quotes, and references and expressions are not evaluated"
CONTENTS = "a file holds config entries (each with a Kind), service(s), check(s), and config_entries"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "a.hcl",
            'Name = "web"\nProtocol = "http"',
            f'1:1: XM0201 there is no Kind here; {CONTENTS} (add Kind = "...")',
        ),
        ("a.json", '["x"]', f"1:2: XM0209 {CONTENTS}"),
        ("a.yaml", "just text", f"1:1: XM0209 {CONTENTS}"),
        (
            "a.hcl",
            'service { name = "a" }\nports { http = 1 }',
            f"2:1: XM0203 unknown key ports beside services ({CONTENTS})",
        ),
        ("a.json", '{"services": [1]}', "1:15: XM0207 this must be an object, not 1"),
        ("a.hcl", "Kind = 5", "1:8: XM0207 Kind must be text"),
        ("a.hcl", "Kind = {}", "1:8: XM0207 Kind must be text"),
        (
            "a.hcl",
            'Kind = "service-spliter"',
            '1:8: XM0202 "service-spliter" is not a kind of config entry (did you mean service-splitter?)',
        ),
        (
            "a.hcl",
            'Kind = "wonder"',
            (
                f'1:8: XM0202 "wonder" is not a kind of config entry (use one of {", ".join(KINDS)}; '
                "a service stands in service { })"
            ),
        ),
        (
            "a.hcl",
            'Kind = "sameness-group"',
            (
                "1:8: XM0205 the kind sameness-group is a feature of Consul Enterprise, "
                "which this is not (remove it)"
            ),
        ),
        (
            "a.hcl",
            'Kind = "bound-api-gateway"',
            (
                "1:8: XM0208 entries of the kind bound-api-gateway are written by the control plane only "
                "(remove it)"
            ),
        ),
        (
            "a.hcl",
            "config_entries { bootstrp = [] }",
            "1:1: XM0209 config_entries holds bootstrap = [...] and nothing else",
        ),
        (
            "a.hcl",
            "config_entries { bootstrap = [{ name = 1 }] }",
            '1:31: XM0201 a config entry needs a Kind (add Kind = "...")',
        ),
        (
            "a.hcl",
            "config_entries { bootstrap = [1] }",
            "1:31: XM0209 a config entry is an object with Kind and Name",
        ),
    ],
)
def test_what_a_file_can_not_hold_is_explained(name: str, text: str, problem: str) -> None:
    assert problems(name, text) == [f"{name}:{problem}"]


def test_what_is_declared_twice_in_a_file_is_a_problem() -> None:
    text = """\
service { name = "web", connect { sidecar_service {} } }
service { name = "other", id = "web" }
service { name = "clash", id = "web-sidecar-proxy" }
config_entries { bootstrap = [
  { kind = "service-defaults", name = "web" },
  { kind = "service-defaults", name = "api" },
  { kind = "service-resolver", name = "web" },
  { kind = "service-defaults", name = "web" },
] }
"""
    parsed = parse("a.hcl", text)

    assert [str(problem) for problem in parsed.problems] == [
        "a.hcl:2:1: XM0408 the service id web is declared twice, first at line 1 (keep one of them)",
        (
            "a.hcl:3:1: XM0408 the service id web-sidecar-proxy is declared twice, first at line 1 "
            "(keep one of them)"
        ),
        "a.hcl:8:3: XM0408 service-defaults web is declared twice, first at line 5 (keep one of them)",
    ]
    assert len(parsed.entries) == 3
    assert len(parsed.services) == 1


def test_proxy_defaults_with_and_without_name_are_the_same() -> None:
    text = "kind: proxy-defaults\n---\nkind: proxy-defaults\nname: global\n"

    assert problems("a.yaml", text) == [
        "a.yaml:3:1: XM0408 proxy-defaults global is declared twice, first at line 1 (keep one of them)"
    ]


def test_all_mistakes_of_a_file_come_in_its_order() -> None:
    text = """\
config_entries { bootstrap = [{ kind = "service-defaults", name = "a", protocol = x }, { kind = "wonder" }] }
service { name = "web", port = 80x, port = 81 }
service { port = "x" }
"""
    assert problems("a.hcl", text) == [
        f'a.hcl:1:83: XM0110 x {UNQUOTED} (for the text write "x")',
        (
            f'a.hcl:1:97: XM0202 "wonder" is not a kind of config entry (use one of {", ".join(KINDS)}; '
            "a service stands in service { })"
        ),
        'a.hcl:2:32: XM0105 80x is not a number (for the text write "80x")',
        'a.hcl:2:37: XM0204 "port" is given twice, first at line 2 (keep one of them)',
        'a.hcl:3:1: XM0301 Name is required (add Name = "...")',
        'a.hcl:3:18: XM0207 Port must be a whole number, not "x"',
    ]


def test_a_body_is_one_entry() -> None:
    body = {"Kind": "service-defaults", "Name": "web", "Protocol": "HTTP"}
    stored = {"CreateIndex": 5, "ModifyIndex": 6, "Hash": 7}

    assert decode_entry(json.dumps(body | stored).encode()) == ServiceDefaults(name="web", protocol="http")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", f"body:1:2: XM0105 this is not valid JSON at the end of the text ({KEY_DUE})"),
        (b"[]", "XM0209 a config entry is an object with Kind and Name"),
        (b'{"Name": "web"}', 'Kind: XM0201 a config entry needs a Kind (add Kind = "...")'),
        (
            b'{"Kind": "sameness-group"}',
            (
                "Kind: XM0205 the kind sameness-group is a feature of Consul Enterprise, "
                "which this is not (remove it)"
            ),
        ),
        (b'{"KIND": "service-defaults"}', 'Kind: XM0201 a config entry needs a Kind (add Kind = "...")'),
        (b'{"Kind": "service-defaults"}', 'Name: XM0301 Name is required (add Name = "...")'),
    ],
)
def test_a_body_that_is_no_entry_is_refused(body: bytes, problem: str) -> None:
    assert refusal(body, decode_entry) == [problem]


def test_a_body_that_is_no_service_is_refused() -> None:
    assert refusal(b"1", decode_service) == ["XM0207 this must be an object, not 1"]
    assert refusal(b'{"Name": "web", "Name": "api"}', decode_service) == [
        'body:1:17: XM0204 "Name" is given twice, first at line 1 (keep one of them)'
    ]
