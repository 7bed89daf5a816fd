"""What proxies log about the calls that they forward, as ``AccessLogs`` of proxy-defaults has it."""

from dataclasses import dataclass
from enum import StrEnum

from xdsmesh.config.kinds.proxy_defaults import ProxyDefaults


class Sink(StrEnum):
    """Where lines go."""

    STDOUT = "stdout"
    STDERR = "stderr"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class AccessLogs:
    """Where lines go and how they look.

    ``path`` is for a file. Of ``json``, the text of an object, and ``text`` one is set at most; with neither
    a line is an object with the usual keys. ``listener_logs``: connections that no filter chain takes too.
    """

    sink: Sink = Sink.STDOUT
    path: str = ""
    json: str = ""
    text: str = ""
    listener_logs: bool = True


def build_access_logs(proxy_defaults: ProxyDefaults | None) -> AccessLogs | None:
    """The settings of all proxies; None: nothing is logged but denials."""
    written = proxy_defaults.access_logs if proxy_defaults else None
    if written is None or not written.enabled:
        return None
    return AccessLogs(
        sink=Sink(written.type or Sink.STDOUT),
        path=written.path,
        json=written.json_format,
        text=written.text_format,
        listener_logs=not written.disable_listener_logs,
    )
