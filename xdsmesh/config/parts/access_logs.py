"""Where proxies log the requests that they forward, and how."""

from msgspec import field

from xdsmesh.config.entry import Shape


class AccessLogs(Shape, frozen=True):
    """An empty type is ``stdout``."""

    enabled: bool = False
    disable_listener_logs: bool = False
    type: str = ""
    path: str = ""
    json_format: str = field(default="", name="JSONFormat")
    text_format: str = ""
