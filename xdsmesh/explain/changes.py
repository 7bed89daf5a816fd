"""What happens to a request on its way: its path is rewritten, its headers are changed."""

from collections.abc import Iterable, Iterator

from xdsmesh.explain.types import Headers
from xdsmesh.ir.comparison import Comparison, PathMatch
from xdsmesh.ir.types import HeaderChanges


def rewritten(path: str, match: PathMatch, replacement: str) -> str:
    """The path with what matched replaced; the query stays.

    A prefix that becomes ``/`` takes a ``/`` after it along.
    """
    if not replacement:
        return path
    plain, mark, query = path.partition("?")
    rest = plain[len(match.value) :] if match.comparison is Comparison.PREFIX else ""
    if replacement == "/" and match.comparison is Comparison.PREFIX:
        rest = rest.removeprefix("/")
    return f"{replacement}{rest}{mark}{query}"


def changed(headers: Headers, changes: Iterable[HeaderChanges]) -> Headers:
    """The headers after some changes, one after another. Names are in lower case before and after.

    Of each, Envoy first removes, then sets, then adds; what it is to set or add with an empty value it leaves
    alone. Commands such as ``%START_TIME%`` stay as they are.
    https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers
    """
    for change in changes:
        headers = tuple(_changed(headers, change))
    return headers


def _changed(headers: Headers, change: HeaderChanges) -> Iterator[tuple[str, str]]:
    setting, adding = list(_written(change.set)), list(_written(change.add))
    gone = {name.lower() for name in change.remove} | {name for name, _ in setting}
    yield from (header for header in headers if header[0] not in gone)
    yield from dict(setting).items()
    yield from adding


def _written(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name.lower(), value.replace("%%", "%")) for name, value in pairs if value)
