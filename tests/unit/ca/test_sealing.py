"""What is sealed can be opened with its key, in its place, and not otherwise."""

import base64
import os
from pathlib import Path

import pytest

from xdsmesh.ca.key_file import key_of_environment, own_key_file, read_key_file
from xdsmesh.ca.sealing import Sealer
from xdsmesh.model.errors import RefusedError

SECRET = b"-----BEGIN EC PRIVATE KEY-----"


def refusal(sealer: Sealer, key: str, sealed: bytes) -> str:
    with pytest.raises(RefusedError) as error:
        sealer.open(key, sealed)
    return str(error.value)


def test_what_is_sealed_is_opened_with_the_same_key() -> None:
    key = os.urandom(32)
    sealed = Sealer(key, "a").seal("ca/authority", SECRET)
    assert SECRET not in sealed
    assert Sealer(key, "b").open("ca/authority", sealed) == SECRET


def test_another_key_is_refused_with_where_it_comes_from_and_what_to_do() -> None:
    sealed = Sealer.in_memory().seal("ca/authority", SECRET)
    told = refusal(Sealer(os.urandom(32), "/etc/mesh.key"), "ca/authority", sealed)
    assert told.startswith("/etc/mesh.key: XM0507 this encryption key does not open ca/authority")
    assert "give the server the encryption key that this store was started with" in told


def test_what_was_sealed_for_one_place_is_not_opened_in_another() -> None:
    sealer = Sealer.in_memory()
    assert "does not open ca/root-keys/2" in refusal(sealer, "ca/root-keys/2", sealer.seal("ca/a", SECRET))


@pytest.mark.parametrize("at", [0, 1, 12, 13, 20, -1])
def test_a_changed_byte_is_refused(at: int) -> None:
    sealer = Sealer.in_memory()
    sealed = bytearray(sealer.seal("ca/a", SECRET))
    sealed[at] ^= 1
    assert "does not open ca/a" in refusal(sealer, "ca/a", bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 13, 28])
def test_what_was_cut_off_is_refused(length: int) -> None:
    sealer = Sealer.in_memory()
    assert "does not open ca/a" in refusal(sealer, "ca/a", sealer.seal("ca/a", SECRET)[:length])


def test_the_same_looks_different_each_time() -> None:
    sealer = Sealer.in_memory()
    assert sealer.seal("a", SECRET)[1:13] != sealer.seal("a", SECRET)[1:13]


def test_the_key_file_is_made_for_its_owner_once_and_never_overwritten(tmp_path: Path) -> None:
    sealed = own_key_file(tmp_path, has_sealed=False).seal("a", SECRET)
    path = tmp_path / "encryption.key"
    text = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(text)) == 32
    assert own_key_file(tmp_path, has_sealed=False).open("a", sealed) == SECRET
    assert own_key_file(tmp_path, has_sealed=True).open("a", sealed) == SECRET
    assert path.read_bytes() == text
    assert list(tmp_path.iterdir()) == [path]


def test_what_an_interrupted_first_start_left_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "encryption.key.new").write_text("half of")
    own_key_file(tmp_path, has_sealed=False)
    assert [each.name for each in tmp_path.iterdir()] == ["encryption.key"]


def test_a_missing_key_file_beside_sealed_keys_is_refused_and_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as error:
        own_key_file(tmp_path, has_sealed=True)
    told = str(error.value)
    assert told.startswith(f"{tmp_path / 'encryption.key'}: XM0507 the store has keys that are sealed")
    assert "--encryption-key-file or XDSMESH_ENCRYPTION_KEY" in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "hunter2", base64.b64encode(bytes(31)).decode(), "ä" * 32, "A" * 5000])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(RefusedError) as of_file:
        read_key_file(path)
    with pytest.raises(RefusedError) as of_environment:
        key_of_environment(text)
    for source, error in ((str(path), of_file), ("XDSMESH_ENCRYPTION_KEY", of_environment)):
        assert str(error.value).startswith(
            f"{source}: XM0507 the encryption key is not the base64 of 32 bytes"
        )
        assert not text or text not in str(error.value)


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"nowhere: XM0507 the encryption key can't be read: No such file"):
        read_key_file(tmp_path / "nowhere")


def test_a_key_does_not_show() -> None:
    key = os.urandom(32)
    shown = repr(Sealer(key, "the file"))
    assert shown == "Sealer('the file')"
