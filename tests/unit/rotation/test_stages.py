"""The stages of a rotation, and the roots in each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from xdsmesh.ca.authority import Root, Standing
from xdsmesh.ca.certificates import create_root, to_pem
from xdsmesh.ca.keys import generate
from xdsmesh.model.errors import RefusedError
from xdsmesh.model.origin import Origin, Source
from xdsmesh.model.trust import P256
from xdsmesh.rotation import stored
from xdsmesh.rotation.stages import Rotation, Stage, roots_in
from xdsmesh.store.base import Record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def root(standing: Standing, crossed: str = "") -> Root:
    made = create_root("mesh.example.com", generate(P256), NOON, timedelta(days=1))
    return Root.load(to_pem(made), standing, crossed)


OLD = root(Standing.ACTIVE)
NEW = root(Standing.NEXT, "crossed")
ORIGIN = Origin(Source.SERVER, "ca")


def test_the_stages_follow_one_another() -> None:
    rotation = Rotation.begin(OLD, b"{}", NEW, "me", NOON)
    stages = [rotation.stage]
    while rotation.is_under_way:
        rotation = rotation.next(NOON + len(stages) * SECOND)
        stages.append(rotation.stage)
    assert stages == [Stage.TRUSTING, Stage.ISSUING, Stage.RETIRING, Stage.DONE]
    assert (rotation.old_id, rotation.new_id, rotation.by) == (OLD.id, NEW.id, "me")
    assert list(rotation.seconds(NOON + 60 * SECOND)) == [
        (Stage.TRUSTING, 1),
        (Stage.ISSUING, 1),
        (Stage.RETIRING, 1),
    ]


def test_a_stage_lasts_until_now() -> None:
    rotation = Rotation.begin(OLD, b"{}", NEW, "me", NOON)
    assert list(rotation.seconds(NOON + 7 * SECOND)) == [(Stage.TRUSTING, 7)]
    assert list(rotation.seconds(NOON - SECOND)) == [(Stage.TRUSTING, 0)], "a clock was set back"


def test_the_new_root_is_trusted_then_active_then_alone() -> None:
    trusting = roots_in(Stage.TRUSTING, (OLD, NEW))
    assert [each.standing for each in trusting] == ["active", "next"]
    issuing = roots_in(Stage.ISSUING, trusting)
    assert [(each.id, each.standing) for each in issuing] == [(OLD.id, "retiring"), (NEW.id, "active")]
    assert issuing[1].cross_signed_pem == "crossed", "for those who know only the old one"
    (alone,) = roots_in(Stage.RETIRING, issuing)
    assert (alone.id, alone.standing, alone.cross_signed_pem) == (NEW.id, "active", "")


def test_what_is_aborted_leaves_the_old_root_alone() -> None:
    rotation = Rotation.begin(OLD, b"{}", NEW, "me", NOON).abort(NOON + SECOND)
    assert (rotation.stage, rotation.is_under_way) == (Stage.ABORTED, False)
    assert list(rotation.seconds(NOON + 9 * SECOND)) == [(Stage.TRUSTING, 1)]
    assert roots_in(Stage.ABORTED, (OLD, NEW)) == (OLD,)


def test_a_rotation_is_read_back_as_it_was_stored() -> None:
    rotation = Rotation.begin(OLD, b"{}", NEW, "me", NOON).next(NOON + SECOND)
    put = stored.put(rotation)
    read = stored.decode(Record(put.key, put.value, ORIGIN, 3, 4))
    assert replace(read, modified=0) == rotation
    assert read.modified == 4


@pytest.mark.parametrize("value", [b"", b"{}", b'{"stage": "moon"}'])
def test_a_damaged_rotation_is_refused(value: bytes) -> None:
    with pytest.raises(RefusedError, match="the rotation of this mesh's root is damaged"):
        stored.decode(Record("ca/rotation", value, ORIGIN, 3, 4))
