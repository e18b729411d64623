"""Takes a roster in: compared with what is on file first, then written whole in one transaction or not at all.

People are known again by the keyed index of their id number (those without one by name, village and birth). Who is
on file gets a missing enrolment and a changed phone or address; nobody is entered twice, however often a roster comes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from server.errors import Invalid
from server.ledger.work import Work
from server.people.enrolling import CENT
from server.people.models import Enrolment, Person
from server.people.roster.terms import RejectedRow, RosterRow, RowProblem
from server.people.rules import Span
from server.people.sight import is_the_house, within_sight
from server.vault.blind_index import whole_id_number
from server.vault.fields import DataKey

BATCH = 500
MOST_SHOWN = 500
Item = TypeVar("Item")


class RosterHasProblems(Invalid):
    """Some rows cannot be taken in; nothing was written. Correct them, or ask to leave them out."""

    title = "名册有需要修改的行"
    detail = "名册中有需要修改的行，没有导入任何内容。请修改后再导入，或选择跳过这些行。"


@dataclass(slots=True)
class Known:
    """A person of the roster who is on file, and what the roster adds or changes."""

    row: RosterRow
    person: Person
    changes: dict[str, str] = field(default_factory=dict)
    enrolment: Span | None = None

    @property
    def is_changed(self) -> bool:
        """Say whether the roster tells anything new."""
        return bool(self.changes) or self.enrolment is not None


@dataclass(slots=True)
class Plan:
    """What a roster would do: who is new, who is on file, and what is wrong by row.

    `refused` are the rows that were understood, but cannot be taken in as things stand.
    """

    new: list[RosterRow] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    rejected: set[int] = field(default_factory=set)
    refused: dict[int, list[RowProblem]] = field(default_factory=dict)

    def refuse(self, row: RosterRow, message: str) -> None:
        """Leave a row out, and say why."""
        problem = RowProblem(row.row_number, "", message)
        self.rejected.add(row.row_number)
        self.refused.setdefault(row.row_number, []).append(problem)
        self.problems.append(problem)

    def report(self) -> dict[str, Any]:
        """Tell what would happen or happened, without personal data; problems up to 500."""
        changed = sum(one.is_changed for one in self.known)
        return {
            "rows": len(self.new) + len(self.known) + len(self.rejected),
            "new": len(self.new),
            "updated": changed,
            "unchanged": len(self.known) - changed,
            "rejected": len(self.rejected),
            "problems": [
                {"row": one.row_number, "column": one.column, "message": one.message}
                for one in self.problems[:MOST_SHOWN]
            ],
            "warnings": [
                {"row": one.row_number, "column": one.column, "message": one.message}
                for one in islice(self._warnings(), MOST_SHOWN)
            ],
        }

    def _warnings(self) -> Iterator[RowProblem]:
        for row in (*self.new, *(one.row for one in self.known)):
            yield from row.warnings


def split(rows: Iterable[RosterRow | RejectedRow]) -> tuple[list[RosterRow], list[RejectedRow]]:
    """Part the rows that were understood from those that were not."""
    good: list[RosterRow] = []
    bad: list[RejectedRow] = []
    for row in rows:
        if isinstance(row, RosterRow):
            good.append(row)
        else:
            bad.append(row)
    return good, bad


def plan(work: Work, rows: Sequence[RosterRow], rejected: Sequence[RejectedRow] = ()) -> Plan:
    """Compare a roster with what is on file; writes nothing."""
    made = Plan()
    for bad in rejected:
        made.rejected.add(bad.row_number)
        made.problems += bad.problems
    seen: set[object] = set()
    for batch in batches(rows):
        fit = [row for row in batch if _fits(work, made, row, seen)]
        _compare(work, made, fit)
    made.problems.sort(key=lambda one: one.row_number)
    return made


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    """Cut a sequence into pieces."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def identity(row: RosterRow) -> object:
    """Say by what a person of a roster is known again."""
    return row.id_number or (row.name, row.village_code, row.birth_on)


def _fits(work: Work, made: Plan, row: RosterRow, seen: set[object]) -> bool:
    if identity(row) in seen:
        made.refuse(row, "同一人在名册中出现了两次。")
        return False
    seen.add(identity(row))
    if not is_the_house(work) and not row.village_code.startswith(work.actor.area_code):
        made.refuse(row, "该村（社区）不在您的辖区。")
        return False
    return True


def _compare(work: Work, made: Plan, rows: Sequence[RosterRow]) -> None:
    there = _on_file(work, rows)
    mine = {person.id for person, seen in there.values() if seen}
    keys = work.keys.fetch(work.session, [person.data_key_id for person, seen in there.values() if seen])
    spans = _spans(work, mine)
    for row in rows:
        found = there.get(identity(row))
        if found is None:
            made.new.append(row)
            continue
        person, is_seen = found
        if not is_seen:
            made.refuse(row, "此人已在其他地方登记，请联系县民政局。")
        elif person.died_on is not None:
            made.refuse(row, "此人已登记死亡，请核对。")
        else:
            made.known.append(_known(work, row, person, keys.get(person.data_key_id), spans))


def _on_file(work: Work, rows: Sequence[RosterRow]) -> dict[object, tuple[Person, bool]]:
    by_index = {whole_id_number(work.keys.keyring, row.id_number): row for row in rows if row.id_number}
    seen = within_sight(work).label("seen")
    found: dict[object, tuple[Person, bool]] = {}
    for person, is_seen in work.session.execute(
        select(Person, seen).where(Person.id_number_index.in_(by_index))
    ):
        assert person.id_number_index is not None
        found[by_index[person.id_number_index].id_number] = (person, bool(is_seen))
    nameless = {row.name for row in rows if not row.id_number}
    if nameless:
        for person, is_seen in work.session.execute(
            select(Person, seen).where(Person.id_number_index.is_(None), Person.name.in_(nameless))
        ):
            found[person.name, person.village_code, person.birth_date] = (person, bool(is_seen))
    return found


def _spans(work: Work, people: Iterable[UUID]) -> dict[UUID, list[Span]]:
    spans: dict[UUID, list[Span]] = {}
    for row in work.session.execute(
        select(Enrolment.person_id, Enrolment.category, Enrolment.valid_from, Enrolment.valid_to).where(
            Enrolment.person_id.in_(list(people)), Enrolment.superseded_at.is_(None)
        )
    ):
        spans.setdefault(row.person_id, []).append(Span(row.category, row.valid_from, row.valid_to))
    return spans


def _known(
    work: Work, row: RosterRow, person: Person, key: DataKey | None, spans: dict[UUID, list[Span]]
) -> Known:
    known = Known(row, person)
    if key is None:
        return known
    for name, text in (("phone", row.phone), ("address", row.address)):
        sealed = getattr(person, f"{name}_sealed")
        held = key.open(sealed, table="persons", column=f"{name}_sealed", row=person.id) if sealed else None
        if text and text != held:
            known.changes[name] = text
    wanted = Span(row.category, row.started_on or work.today)
    if not any(one.meets(wanted) for one in spans.get(person.id, ())):
        known.enrolment = wanted
    return known


def amount_of(row: RosterRow) -> Any:
    """Give the monthly amount of a row in cents."""
    return None if row.amount is None else row.amount.quantize(CENT)
