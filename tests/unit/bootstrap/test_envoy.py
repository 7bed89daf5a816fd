import json
import subprocess
import sys
from pathlib import Path

import pytest

from xdsmesh.bootstrap import EnvoyNotFoundError, find_envoy

EXEC = """
import sys
from pathlib import Path
from xdsmesh.bootstrap import exec_envoy
exec_envoy(Path(sys.argv[1]), {"node": {"id": "web-1", "cluster": "web"}}, ["--extra"])
"""


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!{sys.executable}\n{body}", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_envoy_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    envoy = program(tmp_path / "envoy", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_envoy() == envoy


@pytest.mark.envoy
def test_without_one_on_path_the_interpreters_own_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    version = subprocess.run(
        [find_envoy(), "--version"], capture_output=True, text=True, timeout=30, check=True
    )
    assert "version:" in version.stdout


def test_without_any_the_error_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    with pytest.raises(EnvoyNotFoundError, match=r'pip install "xdsmesh\[demo\]"'):
        find_envoy()


def test_envoy_finds_its_bootstrap_in_memory(tmp_path: Path) -> None:
    # It stands in for Envoy to show what it was given, and what is left in the folder.
    envoy = program(
        tmp_path / "envoy",
        "import json, os, sys\n"
        "config = sys.argv[sys.argv.index('-c') + 1]\n"
        "print(json.dumps({'argv': sys.argv[1:], 'config': json.load(open(config)), 'pid': os.getpid()}))\n",
    )
    with subprocess.Popen(
        [sys.executable, "-c", EXEC, envoy], stdout=subprocess.PIPE, cwd=tmp_path
    ) as process:
        output, _ = process.communicate(timeout=30)
    seen = json.loads(output)
    assert seen["config"] == {"node": {"id": "web-1", "cluster": "web"}}
    assert seen["argv"][-1] == "--extra"
    assert "--disable-hot-restart" in seen["argv"], "two sidecars on one machine would share a base id"
    assert seen["pid"] == process.pid
    assert [file.name for file in tmp_path.iterdir()] == ["envoy"]


@pytest.mark.envoy
def test_real_envoy_reads_a_bootstrap_from_memory() -> None:
    script = EXEC.replace('"--extra"', '"--mode", "validate"')
    result = subprocess.run(
        [sys.executable, "-c", script, find_envoy()], capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "OK" in result.stdout
