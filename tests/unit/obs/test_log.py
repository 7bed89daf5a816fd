import pytest
import structlog

from xdsmesh.obs import log


@pytest.mark.parametrize("as_json", [True, False])
def test_a_fault_is_logged_with_its_traceback_and_without_variables(
    *, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configured = structlog.get_config()
    try:
        log.set_up(as_json=as_json)
        key = "secret".rjust(9, "-")
        try:
            fail_with(key)
        except RuntimeError as error:
            structlog.get_logger("test").error("it failed", exc_info=error)
    finally:
        structlog.configure(**configured)

    told = capsys.readouterr().err
    assert "it failed" in told
    assert "in fail_with" in told
    assert "---secret" not in told


def fail_with(key: str) -> None:
    raise RuntimeError(f"a key of {len(key)} characters")
