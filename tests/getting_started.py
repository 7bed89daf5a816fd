"""docs/getting-started.md in its parts, for the tests that run its commands."""

import re
from pathlib import Path
from typing import Final

PAGE: Final = (Path(__file__).parents[1] / "docs" / "getting-started.md").read_text("utf-8")
INSTALLATION, BY_HAND, CONTAINERS, SYSTEMD, _ = PAGE.split("\n## ")


def blocks(text: str, language: str) -> list[str]:
    """The fenced texts in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
