"""Files judged together, without a server."""

from xdsmesh.catalog.check import check_entries
from xdsmesh.config.files import parse_file
from xdsmesh.model.errors import Problem


def check(**files: str) -> list[str]:
    parsed = [parse_file(f"{name}.hcl", text.encode()) for name, text in files.items()]
    assert not any(file.problems for file in parsed)
    problems: tuple[Problem, ...] = check_entries(entry for file in parsed for entry in file.entries)
    return [str(problem) for problem in problems]


def test_entries_that_need_each_other_are_right_in_any_order() -> None:
    assert (
        check(
            router='Kind = "service-router", Name = "web"',
            defaults='Kind = "service-defaults", Name = "web", Protocol = "http"',
        )
        == []
    )


def test_each_problem_stands_at_its_entry() -> None:
    (problem,) = check(
        defaults='Kind = "service-defaults"\nName = "web"\nProtocol = "tcp"',
        router='\n\nKind = "service-router"\nName = "web"',
    )

    assert problem.startswith('router.hcl:3:1: XM0406 chain "web": service-router "web" is in use')


def test_what_two_files_declare_is_told_with_both_places() -> None:
    assert check(
        a='Kind = "service-defaults", Name = "web", Protocol = "http"',
        b='Kind = "service-defaults", Name = "web", Protocol = "tcp"',
        c='Kind = "service-router", Name = "web"',
    ) == [
        "b.hcl:1:1: XM0408 service-defaults/web is declared twice (the other one is at a.hcl:1:1)",
    ]


def test_all_problems_are_told_at_once() -> None:
    problems = check(
        chain='Kind = "service-splitter", Name = "web", Splits { Weight = 100 }',
        gateway='Kind = "ingress-gateway", Name = "gw", Listeners { Port = 80, Services { Name = "a" } }',
        other='Kind = "terminating-gateway", Name = "gw", Services { Name = "a" }',
        protocol='Kind = "service-defaults", Name = "api", Protocol = "http"',
        provider="""
            Kind = "service-intentions"
            Name = "api"
            Sources { Name = "web", Action = "allow" }
            JWT { Providers { Name = "okta" } }
        """,
        tls='Kind = "proxy-defaults", MutualTLSMode = "permissive"',
    )

    assert [problem.split(" ")[1] for problem in problems] == ["XM0406", "XM0410", "XM0412", "XM0413"]
