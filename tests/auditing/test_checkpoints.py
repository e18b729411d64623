"""Signing, exporting and verifying from the command line; a ledger that does not go on from before is not signed."""

import dataclasses
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text

from ledger_verify.__main__ import main as verify
from server.ledger.notes import SigningKey
from server.permissions import Role
from tests.auditing.conftest import Bureau
from tests.faults.superuser import undone
from tests.photos.sending import picture, send


@dataclasses.dataclass
class Office:
    """A bureau with a signing key and a folder for checkpoints outside the database."""

    bureau: Bureau
    folder: Path

    def run(self, *words: str) -> Result:
        """Run a command of the ledger."""
        return self.bureau.world.app.test_cli_runner().invoke(args=["ledger", *words])

    def signed(self, *more: str) -> str:
        """Sign; it must succeed."""
        result = self.run("checkpoint", *more)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *more: str) -> str:
        """Try to sign; it must be refused, in a sentence."""
        result = self.run("checkpoint", *more)
        assert result.exit_code == 1, result.output
        return result.stderr

    @property
    def held(self) -> list[Path]:
        """What was exported, oldest first."""
        return sorted((self.folder / "checkpoints").glob("*.checkpoint"))

    @property
    def key(self) -> str:
        """The public key."""
        return SigningKey.parse((self.folder / "key").read_text()).public()

    def verified(self, *more: str) -> int:
        """Export and verify against the last checkpoint; gives the verifier's exit code."""
        result = self.run("export", str(self.folder / "export.jsonl"), *more)
        assert result.exit_code == 0, result.output
        return verify(
            [
                "export",
                str(self.folder / "export.jsonl"),
                "--key",
                self.key,
                "--checkpoint",
                str(self.held[-1]),
            ]
        )

    def forget(self, statement: str) -> None:
        """Change the database as its superuser, for good."""
        engine = self.bureau.world.house.engine
        with engine.connect() as connection:
            outer = connection.begin()
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            else:
                connection.execute(text("PRAGMA defer_foreign_keys = ON"))
                for name in connection.execute(
                    text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger%_no_%'")
                ).scalars():
                    connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text(statement))
            outer.commit()


@pytest.fixture
def office(bureau: Bureau, tmp_path: Path) -> Iterator[Office]:
    """Give the office."""
    house = bureau.world.house
    (tmp_path / "checkpoints").mkdir()
    made = Office(bureau, tmp_path)
    result = made.run("keygen", str(tmp_path / "key"), "--name", "test.example/ledger")
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == made.key
    settings = dataclasses.replace(
        house.settings,
        ledger_key=f"file:{tmp_path}/key",
        ledger_checkpoints=f"file://{tmp_path}/checkpoints",
    )
    bureau.world.app.extensions["parts"] = dataclasses.replace(house, settings=settings)
    yield made
    bureau.world.app.extensions["parts"] = house


def test_a_key_is_made_once_for_its_owner_only(office: Office) -> None:
    file = office.folder / "key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    again = office.run("keygen", str(file), "--name", "test.example/ledger")
    assert again.exit_code == 1
    assert file.read_text() == before
    assert office.run("keygen", str(office.folder / "other"), "--name", "a b").exit_code == 1
    assert office.run("public-key").stdout.strip() == office.key


def test_a_ledger_is_signed_exported_and_verified(office: Office) -> None:
    office.bureau.visited()
    assert office.signed() == "signed checkpoint 1\n"
    assert office.signed() == "nothing new to sign\n"
    assert office.verified() == 0
    office.bureau.visited()
    assert office.signed("--all") == "signed checkpoint 2\n"
    assert office.verified() == 0
    assert [one.name.partition("-")[0] for one in office.held] == ["00000001", "00000002"]
    office.bureau.visited()
    assert office.verified() == 0, "what came after the checkpoint is not covered by it, and is no fault"


def test_a_record_that_awaits_a_second_pair_of_eyes_is_as_it_was_told(office: Office) -> None:
    bureau = office.bureau
    visit = bureau.visited(outcome="dead", answers={}, identity_checked_by=None, conclusion=None)
    decision = {"decision": "accept", "reason": None, "revision": 1}
    answer = bureau.phones[Role.REVIEWER].post(f"/visits/{visit}/decisions", decision)
    assert (answer.status_code, answer.json["state"]) == (201, "submitted"), answer.json
    office.signed()
    assert office.verified() == 0
    assert (
        bureau.phones[Role.CHIEF].post(f"/visits/{visit}/decisions", decision | {"revision": 2}).status_code
        == 201
    )
    assert office.verified() == 0


def test_a_part_of_it_can_be_verified_by_itself(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        office.bureau.visited()
    office.signed()
    assert office.verified("--from", "5", "--to", "9") == 0
    assert "共 5 条" in capfd.readouterr().out
    assert office.run("export", str(office.folder / "x"), "--from", "9", "--to", "5").exit_code == 2
    assert office.run("export", str(office.folder / "x"), "--from", "99999").exit_code == 2
    assert not (office.folder / "x").exists()


def test_without_key_or_folder_nothing_is_signed(office: Office) -> None:
    house = office.bureau.world.app.extensions["parts"]
    for missing in ("ledger_key", "ledger_checkpoints"):
        settings = dataclasses.replace(house.settings, **{missing: None})
        office.bureau.world.app.extensions["parts"] = dataclasses.replace(house, settings=settings)
        assert missing.upper() in office.refused()
    gone = dataclasses.replace(house.settings, ledger_checkpoints="file:///nowhere/at/all")
    office.bureau.world.app.extensions["parts"] = dataclasses.replace(house, settings=gone)
    assert "不存在" in office.refused()


def test_a_database_older_than_the_last_exported_checkpoint_is_not_signed(office: Office) -> None:
    office.bureau.visited()
    office.signed()
    size = _size(office)
    office.bureau.visited()
    office.signed()
    office.forget("DELETE FROM ledger_checkpoints WHERE number = 2")
    assert "回滚" in office.refused()
    office.forget(f"DELETE FROM ledger_positions WHERE seq > {size}")
    assert "回滚" in office.refused()
    assert len(office.held) == 2


def test_after_a_restore_signing_goes_on_and_says_so(
    office: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    office.bureau.visited()
    office.signed()
    office.bureau.visited()
    office.signed()
    size = _size(office, 1)
    office.forget("DELETE FROM ledger_checkpoints WHERE number = 2")
    for table, column in (("ledger_looks", "seq"), ("ledger_positions", "seq")):
        office.forget(f"DELETE FROM {table} WHERE {column} > {size}")
    office.forget("DELETE FROM ledger_pending")
    office.forget("DELETE FROM ledger_events WHERE id NOT IN (SELECT event_id FROM ledger_positions)")
    office.forget(
        "DELETE FROM visits WHERE id NOT IN (SELECT subject_id FROM ledger_events WHERE subject_kind = 'visit')"
    )
    office.forget(f"UPDATE ledger_marks SET seq = {size}")
    assert "回滚" in office.refused()
    office.bureau.phones[Role.REVIEWER].get("/archives")
    assert office.signed("--after-restore") == "signed checkpoint 3\n"
    assert office.verified() == 0
    assert "从备份恢复之后" in capfd.readouterr().out


def test_an_entry_that_was_changed_before_it_was_signed_is_not_signed(office: Office) -> None:
    office.bureau.visited()
    office.signed()
    office.bureau.visited()
    office.bureau.seal()
    office.forget(
        "UPDATE ledger_events SET actor_id = NULL WHERE id = (SELECT event_id FROM ledger_positions ORDER BY seq DESC LIMIT 1)"
    )
    said = office.refused()
    assert "内容与摘要不符" in said


def test_an_earlier_entry_that_was_changed_is_found_when_all_are_compared(office: Office) -> None:
    office.bureau.visited()
    office.signed()
    office.forget(
        "UPDATE ledger_events SET action = 'forged' WHERE id = (SELECT event_id FROM ledger_positions WHERE seq = 3)"
    )
    office.bureau.visited()
    assert "第 3 条" in office.refused("--all")


def test_a_changed_tree_is_not_signed(office: Office) -> None:
    office.bureau.visited()
    office.signed()
    office.bureau.visited()
    office.forget(
        "UPDATE ledger_positions SET leaf_hash = (SELECT leaf_hash FROM ledger_positions WHERE seq = 1) WHERE seq = 2"
    )
    assert "与第 1 号检查点" in office.refused()


@pytest.mark.parametrize("how", ["changed", "empty", "of another key"])
def test_an_exported_checkpoint_that_is_not_as_it_was_stops_signing(office: Office, how: str) -> None:
    office.bureau.visited()
    office.signed()
    if how == "of another key":
        other = office.folder / "other"
        office.run("keygen", str(other), "--name", "test.example/ledger")
        (office.folder / "key").write_text(other.read_text())
    else:
        [file] = office.held
        file.write_text("" if how == "empty" else file.read_text().replace("number 1", "number 9"))
    office.bureau.visited()
    assert "没有签名" in office.refused()


def test_a_checkpoint_that_was_not_exported_is_exported_by_the_next_run(office: Office) -> None:
    office.bureau.visited()
    office.signed()
    [file] = office.held
    kept = file.read_bytes()
    file.unlink()
    office.signed()
    assert file.read_bytes() == kept


def test_a_receipt_is_verified_offline_and_a_changed_one_is_not(office: Office) -> None:
    bureau, visitor = office.bureau, office.bureau.phones[Role.VISITOR]
    visit = bureau.visited()
    assert visitor.get(f"/visits/{visit}/receipt").json["code"] == "receipt_not_yet"
    photo = send(visitor, visit, picture())
    assert photo.status_code == 201
    decision = {"decision": "accept", "reason": None, "revision": 1}
    assert bureau.phones[Role.REVIEWER].post(f"/visits/{visit}/decisions", decision).status_code == 201
    office.signed()
    later = bureau.visited()
    answer = visitor.get(f"/visits/{visit}/receipt")
    assert answer.status_code == 200, answer.json
    assert [one["leaf"]["action"] for one in answer.json["entries"]] == [
        *("visit.recorded", "photo.stored", "visit.accept"),
    ]
    assert answer.json["state"] == "accepted"
    assert visitor.get(f"/visits/{later}/receipt").status_code == 409
    file = office.folder / "receipt.json"

    def code(said: Any) -> int:
        file.write_text(json.dumps(said, ensure_ascii=False))
        return verify(["receipt", str(file), "--key", office.key])

    said = answer.json
    assert code(said) == 0
    first = said["entries"][0]
    for forged in (
        {**first, "leaf": {**first["leaf"], "at": "2020-01-01T00:00:00Z"}},
        {**first, "payload": first["payload"].replace("met", "dead")},
        {**first, "proof": first["proof"][:-1]},
    ):
        assert code({**said, "entries": [forged, *said["entries"][1:]]}) == 1
    assert code({**said, "entries": said["entries"][1:]}) == 1
    assert code({**said, "visit_id": str(later)}) == 1
    assert code({**said, "checkpoint": said["checkpoint"].replace("number 1", "number 2")}) == 2
    assert code({"format": "other"}) == 2
    far = bureau.world.phone(bureau.world.worker(Role.REVIEWER, "341882100"))
    assert far.get(f"/visits/{visit}/receipt").status_code == 404


def test_proofs_over_http_hold_offline(office: Office) -> None:
    auditor = office.bureau.phones[Role.AUDITOR]
    assert auditor.get("/ledger/checkpoint").status_code == 404
    office.bureau.visited()
    office.signed()
    office.bureau.visited()
    office.signed()
    first, second = (auditor.get("/ledger/checkpoint", number=number).json for number in (1, 2))
    assert auditor.get("/ledger/checkpoint").json == second
    proof = auditor.get("/ledger/proofs/consistency", **{"from": first["size"], "to": second["size"]})
    file = office.folder / "proof.json"
    file.write_bytes(proof.data)
    words = [str(one) for one in office.held]
    assert verify(["extends", *words, "--proof", str(file), "--key", office.key]) == 0
    assert verify(["extends", *words[::-1], "--proof", str(file), "--key", office.key]) == 1
    included = auditor.get("/ledger/proofs/inclusion", seq=2)
    assert included.json["size"] == second["size"]
    for wrong in ({"seq": 10**9}, {"seq": 0}, {"seq": 2, "size": 1}, {}):
        assert auditor.get("/ledger/proofs/inclusion", **wrong).status_code == 422
    for wrong in ({"from": 5, "to": 2}, {"from": 1, "to": 10**9}, {"from": 1}):
        assert auditor.get("/ledger/proofs/consistency", **wrong).status_code == 422


def test_one_payload_is_disclosed_with_its_proof_and_leaves_its_entry(office: Office) -> None:
    office.bureau.visited()
    office.signed()
    auditor = office.bureau.phones[Role.AUDITOR]
    seq = auditor.get("/ledger/events", action="visit.recorded").json["items"][0]["seq"]
    result = office.run("disclose", str(seq), "--reason", "督查要求核对")
    assert result.exit_code == 0, result.output
    file = office.folder / "disclosed.json"
    file.write_text(result.stdout)
    assert verify(["payload", str(file), "--key", office.key]) == 0
    said = json.loads(result.stdout)
    file.write_text(json.dumps({**said, "payload": said["payload"].replace("met", "dead")}))
    assert verify(["payload", str(file)]) == 1
    assert auditor.get("/ledger/events", action="ledger.disclosed").json["items"][0]["people_named"] == 0
    assert office.run("disclose", "99999", "--reason", "督查要求核对").exit_code == 1


def test_a_tree_that_does_not_fit_the_checkpoint_gives_no_receipt(office: Office) -> None:
    visit = office.bureau.visited()
    office.signed()
    office.forget(
        "UPDATE ledger_positions SET leaf_hash = (SELECT leaf_hash FROM ledger_positions WHERE seq = 1) WHERE seq = 2"
    )
    answer = office.bureau.phones[Role.VISITOR].get(f"/visits/{visit}/receipt")
    assert (answer.status_code, answer.json["code"]) == (500, "ledger_differs")


def _size(office: Office, number: int = 1) -> int:
    with undone(office.bureau.world.house.engine) as connection:
        return int(
            connection.execute(
                text("SELECT size FROM ledger_checkpoints WHERE number = :number"), {"number": number}
            ).scalar_one()
        )
