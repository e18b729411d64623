"""Whatever a database superuser changes, the offline verifier names it: the export, a checkpoint and the public key suffice."""

import dataclasses
import io
import random
from collections import Counter
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import sessionmaker

from ledger_verify import exported, notes
from server.auditing import exporting
from server.db import unit_of_work
from server.http.parts import Parts
from server.ledger import checkpoints, sealer
from server.ledger.notes import SigningKey
from server.permissions import Role
from tests.builders.world import SHENGPING, World
from tests.faults.sizes import seen, size
from tests.faults.superuser import TAMPERS, Superuser, undone
from tests.photos.sending import Scene, picture

pytestmark = pytest.mark.slow
TAMPERINGS = size("FAULT_TAMPERINGS", short=60, long=1000)
SEED = size("FAULT_TAMPERING_SEED", short=20260305, long=20260306)
KEY = SigningKey.generate("test.example/ledger", random.Random(1).randbytes)


def signed(world: World) -> notes.Checkpoint:
    """Sign the ledger as it is; gives the checkpoint as an inspector holds it."""
    with world.work() as work:
        made = checkpoints.sign(work, KEY, [])
        assert made is not None
        note = made.note
    return notes.checkpoint(note, notes.public_key(KEY.public()))


@pytest.fixture
def scene(world: World) -> Scene:
    """Give a visitor with one person and a visit."""
    return Scene(world)


@pytest.fixture
def inspected(world: World, scene: Scene) -> notes.Checkpoint:
    """Fill a ledger with visits, photos, decisions, lists and looks; sign three times."""
    reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
    for _ in range(3):
        scene.stored(picture())
        reviewer.get("/archives")
    signed(world)
    answer = reviewer.post(
        f"/visits/{scene.visit}/decisions", {"decision": "accept", "reason": None, "revision": 1}
    )
    assert answer.status_code == 201, answer.json
    for _ in range(8):
        with world.work() as work:
            for _ in range(35):
                work.looked("archive.read", "person", scene.person, person_id=scene.person)
            for _ in range(35):
                work.tell("told", "test", uuid4(), person_id=scene.person, payload={"what": "something"})
        reviewer.get("/reviews/queue")
        reviewer.get("/visits")
    signed(world)
    with world.work() as work:
        work.tell("told", "test")
    last = signed(world)
    with unit_of_work(world.house.sessions) as session:
        sealer.seal(session)
    assert last.size > 2 * 256
    return last


def export(house: Parts, connection: Connection | None = None) -> bytes:
    """Export what is stored, as a transaction that is still open sees it."""
    if connection is not None:
        bound = sessionmaker(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        house = dataclasses.replace(house, sessions=bound)
    return "".join(f"{line}\n" for line in exporting.lines(house)).encode()


def verified(export: bytes, held: notes.Checkpoint) -> exported.Report:
    return exported.verify(io.BytesIO(export), notes.public_key(KEY.public()), [held])


def test_every_random_tampering_is_named_by_the_offline_verifier(
    house: Parts, world: World, scene: Scene, inspected: notes.Checkpoint
) -> None:
    untouched = verified(export(house), inspected)
    assert (untouched.changed, untouched.damaged) == ([], [])
    chance = random.Random(SEED)
    missed, counts = [], Counter[str]()
    number = 0
    while number < TAMPERINGS:
        kind = list(TAMPERS)[number % len(TAMPERS)]
        with undone(house.engine) as connection:
            try:
                what = TAMPERS[kind](Superuser(connection, chance, inspected.size))
            except IntegrityError:
                continue  # a CHECK refused what was made up
            report = verified(export(house, connection), inspected)
        number += 1
        counts[kind] += 1
        if not report.changed:
            missed.append((number, what, report.damaged))
    again = verified(export(house), inspected)
    assert (again.changed, again.damaged) == ([], [])
    seen(
        f"tampering as superuser ({house.engine.dialect.name})",
        f"{TAMPERINGS} tamperings, {dict(counts)}, {len(missed)} missed",
    )
    assert missed == []


def test_the_first_entry_that_was_changed_is_named(
    house: Parts, world: World, scene: Scene, inspected: notes.Checkpoint
) -> None:
    with undone(house.engine) as connection:
        connection.execute(
            text(
                "UPDATE ledger_events SET action = 'forged' WHERE id = (SELECT event_id FROM ledger_positions WHERE seq = 300)"
            )
        )
        report = verified(export(house, connection), inspected)
    assert report.changed[0] == "第 300 条的内容与登记的摘要不符：被改动过。"
    assert any("第 257 至 512 条" in text for text in report.changed)
    with undone(house.engine) as connection:
        connection.execute(text("DELETE FROM ledger_positions WHERE seq BETWEEN 100 AND 102"))
        report = verified(export(house, connection), inspected)
    assert report.changed[0] == "第 100 条 至第 102 条缺失：被删除。"


def test_what_fits_in_itself_is_still_told_apart_by_the_checkpoint(
    house: Parts, world: World, scene: Scene, inspected: notes.Checkpoint
) -> None:
    with undone(house.engine) as connection:
        connection.execute(
            text(
                "UPDATE ledger_events SET request_id = 'forged' WHERE id = (SELECT event_id FROM ledger_positions WHERE seq = 300)"
            )
        )
        Superuser(connection, random.Random(1), inspected.size).rehash(300)
        report = verified(export(house, connection), inspected)
    assert any("号检查点" in text and "之间被改动过" in text for text in report.changed)


def test_an_export_holds_no_name_no_text_and_no_sealed_payload(
    house: Parts, world: World, scene: Scene, inspected: notes.Checkpoint
) -> None:
    content = export(house).decode()
    for private in ("测试老人", "13900000001", "v1.", UUID(int=0).hex):
        assert private not in content
