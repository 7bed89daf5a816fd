"""The page about services: what it shows is accepted."""

import re
from pathlib import Path

from xdsmesh.config.files import parse_file

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "services.md"
FENCED = re.compile(r"^```hcl\n(?P<text>.*?)\n```$", re.MULTILINE | re.DOTALL)


def test_the_examples_are_accepted() -> None:
    files = [parse_file("example.hcl", match["text"].encode()) for match in FENCED.finditer(PAGE.read_text())]

    assert [(len(file.services), len(file.checks), file.problems) for file in files] == [
        (1, 0, ()),
        (0, 2, ()),
    ]
