"""The npm client, which programs for Node.js use: one walk through what it has for services."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

PROGRAM: Final = Path(__file__).parent / "npm"
SECONDS: Final = 40
UNREACHABLE: Final = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONN\w+|E\w*TIMEDOUT|EHOSTUNREACH")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The program, with the client that it is pinned to."""
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        pytest.skip(f"the npm client is not tried: there is no {' and no '.join(missing)} on PATH")
    for name in ("package.json", "package-lock.json", "walk.mjs"):
        shutil.copy(PROGRAM / name, tmp_path)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0"]
    try:
        result = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"the npm client is not tried: npm did not get it within {SECONDS} s")
    if result.returncode and UNREACHABLE.search(result.stderr):
        pytest.skip("the npm client is not tried: npm can't reach its registry")
    assert result.returncode == 0, result.stderr
    return tmp_path


def test_the_npm_client_finds_all_as_in_consul(installed: Path, shared: Any) -> None:
    command = ["node", "walk.mjs", f"127.0.0.1:{shared.http.base_url.port}"]
    result = subprocess.run(
        command, cwd=installed, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.split()[-1] == "theEnd"
