"""A person's file opened for writing: who may, the locked row, the key that seals it, the pen that tells of it.

Every change of a person goes through here: it is told with what was before and after, sealed under the person's key,
and raises the file's revision. A repeat of a request is recognised by what the ledger kept of the first one.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.errors import Conflict, NotAllowed
from server.ledger.models import Event
from server.ledger.work import Work
from server.people.models import Person
from server.people.rules import PersonHasDied
from server.people.sight import is_the_house, see
from server.permissions import Role
from server.vault.fields import DataKey

EDITORS = frozenset({Role.REVIEWER, Role.CHIEF})


class FileErased(Conflict):
    """What was sealed of this person was lawfully erased; nothing can be added."""

    title = "档案已依法清除"
    detail = "此人的档案已依法清除，不能再修改。"


class AlreadyExists(Conflict):
    """Something else is stored under this id."""

    title = "编号已被使用"
    detail = "同一编号已保存过不同的内容，请刷新后重新提交。"


@dataclass(slots=True)
class OpenFile:
    """One person's file, opened for a change."""

    work: Work
    person: Person
    key: DataKey

    def seal(self, text: str | None, column: str) -> str | None:
        """Seal a text for a column of the person's own row."""
        return self.seal_for("persons", column, self.person.id, text)

    def seal_for(self, table: str, column: str, row: UUID, text: str | None) -> str | None:
        """Seal a text for a column of any row that is about the person."""
        return None if text is None else self.key.seal(text, table=table, column=column, row=row)

    def open(self, sealed: str | None, column: str) -> str | None:
        """Open a column of the person's own row."""
        return self.open_from("persons", column, self.person.id, sealed)

    def open_from(self, table: str, column: str, row: UUID, sealed: str | None) -> str | None:
        """Open a column of any row that is about the person."""
        return None if sealed is None else self.key.open(sealed, table=table, column=column, row=row)

    def tell(
        self, action: str, kind: str, subject_id: UUID, payload: Mapping[str, Any], *, duties: bool = False
    ) -> None:
        """Write one ledger line about the file, and a new revision; `duties` says that duties may follow from it."""
        self.work.tell(
            action,
            kind,
            subject_id,
            person_id=self.person.id,
            key=self.key,
            payload={name: plain(value) for name, value in payload.items()},
        )
        self.person.revision += 1
        if duties:
            self.work.changed_people.add(self.person.id)

    def is_repeat(self, action: str, kind: str, subject_id: UUID, asked: Any) -> bool:
        """Say whether exactly this was asked and done before."""
        return is_repeat(self.work, self.key, self.person.id, action, kind, subject_id, asked)


def may_edit(work: Work) -> None:
    """Refuse whoever may not change files: only the township does, and the house itself."""
    if not is_the_house(work) and work.actor.role not in EDITORS:
        raise NotAllowed


def open_file(work: Work, person_id: UUID, *, alive: bool = False) -> OpenFile:
    """Open the file of a person within sight for a change; `alive` refuses the dead."""
    may_edit(work)
    person = see(work, person_id, to_change=True)
    key = work.keys.fetch_one(work.session, person.data_key_id)
    if key is None:
        raise FileErased
    if alive and person.died_on is not None:
        raise PersonHasDied
    return OpenFile(work, person, key)


def is_repeat(
    work: Work, key: DataKey, person_id: UUID, action: str, kind: str, subject_id: UUID, asked: Any
) -> bool:
    """Compare with what the ledger keeps of the same deed on the same subject (`asked` in its payload).

    A subject of somebody else's file is no repeat, and its payload is sealed under another key.
    """
    for sealed in work.session.scalars(
        select(Event.payload).where(
            Event.subject_kind == kind,
            Event.subject_id == subject_id,
            Event.person_id == person_id,
            Event.action == action,
        )
    ):
        if sealed is None or not sealed.startswith("v1."):
            continue
        kept = key.open(sealed, table="ledger_events", column="payload", row=str(subject_id))
        if json.loads(kept.partition(".")[2]).get("asked") == plain(asked):
            return True
    return False


def plain(value: Any) -> Any:
    """Bring a command or a value into the one JSON form in which the ledger keeps it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)
