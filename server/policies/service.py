"""Policy numbers as versions: which value holds where and on which day, and what was known when."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.errors import Invalid
from server.ledger.work import Work
from server.policies.models import PolicyVersion
from server.policies.terms import NUMBERS


def seed(work: Work, *, effective_from: dt.date, begin_on: dt.date) -> None:
    """Write the first version of every number, each marked for local confirmation."""
    for number in NUMBERS.values():
        value = begin_on.isoformat() if number.key == "duties.begin_on" else number.default
        work.session.add(
            PolicyVersion(
                id=work.new_id(),
                key=number.key,
                area_code="",
                value=value,
                unit=number.unit,
                effective_from=effective_from,
                source_doc_no=number.source,
                source_url="",
                needs_confirmation=True,
                recorded_at=work.now,
            )
        )
    work.tell("policies.seeded", "policy", payload={"numbers": sorted(NUMBERS)})


def value_on(
    session: Session, key: str, day: dt.date, *, area_code: str = "", known_at: dt.datetime | None = None
) -> Any:
    """Give the value of a number on a day for an area; the nearest area wins, the default where nobody set one."""
    number = NUMBERS[key]
    known = (
        PolicyVersion.superseded_at.is_(None)
        if known_at is None
        else (PolicyVersion.recorded_at <= known_at)
        & or_(PolicyVersion.superseded_at.is_(None), PolicyVersion.superseded_at > known_at)
    )
    found = session.scalars(
        select(PolicyVersion)
        .where(
            PolicyVersion.key == key,
            PolicyVersion.effective_from <= day,
            or_(PolicyVersion.effective_to.is_(None), PolicyVersion.effective_to >= day),
            PolicyVersion.area_code.in_({area_code[:length] for length in (0, 6, 9, 12)}),
            known,
        )
        .order_by(func.length(PolicyVersion.area_code).desc(), PolicyVersion.effective_from.desc())
        .limit(1)
    ).first()
    return number.default if found is None else found.value


def begin_on(
    session: Session, day: dt.date, *, area_code: str = "", known_at: dt.datetime | None = None
) -> dt.date:
    """Give the first day from which duties are kept in an area."""
    value = value_on(session, "duties.begin_on", day, area_code=area_code, known_at=known_at)
    return dt.date.fromisoformat(value) if value else day.replace(day=1)


def set_number(
    work: Work,
    key: str,
    value: Any,
    *,
    area_code: str,
    effective_from: dt.date,
    source_doc_no: str,
    source_url: str,
) -> PolicyVersion:
    """Record a new value from a day on; the version that it replaces is kept."""
    if key not in NUMBERS:
        raise Invalid(errors={"key": ["没有这项参数。"]})
    old = work.session.scalars(
        select(PolicyVersion).where(
            PolicyVersion.key == key,
            PolicyVersion.area_code == area_code,
            PolicyVersion.effective_from == effective_from,
            PolicyVersion.superseded_at.is_(None),
        )
    ).first()
    if old is not None:
        old.superseded_at = work.now
    new = PolicyVersion(
        id=work.new_id(),
        key=key,
        area_code=area_code,
        value=value,
        unit=NUMBERS[key].unit,
        effective_from=effective_from,
        source_doc_no=source_doc_no,
        source_url=source_url,
        needs_confirmation=False,
        recorded_at=work.now,
        recorded_by=work.actor_id,
    )
    work.session.add(new)
    _in_force.pop(work.session.get_bind(), None)
    work.tell("policy.set", "policy", new.id, payload={"key": key, "value": value, "from": effective_from})
    return new


@dataclass(frozen=True, slots=True)
class InForce:
    """Every number in force, as read a moment ago; `on` picks the nearest area's value for a day."""

    read_at: dt.datetime
    versions: tuple[PolicyVersion, ...]
    _found: dict[tuple[str, dt.date, str], Any] = field(default_factory=dict)

    def on(self, key: str, day: dt.date, area_code: str = "") -> Any:
        """Give the value of a number on a day for an area."""
        asked = key, day, area_code
        if asked not in self._found:
            self._found[asked] = self._choose(key, day, area_code)
        return self._found[asked]

    def _choose(self, key: str, day: dt.date, area_code: str) -> Any:
        fitting = [
            version
            for version in self.versions
            if version.key == key
            and area_code.startswith(version.area_code)
            and version.effective_from <= day
            and (version.effective_to is None or version.effective_to >= day)
        ]
        if not fitting:
            return NUMBERS[key].default
        return max(fitting, key=lambda one: (len(one.area_code), one.effective_from)).value


KEPT_FOR = dt.timedelta(seconds=30)
_in_force: WeakKeyDictionary[Any, InForce] = WeakKeyDictionary()


def in_force(work: Work) -> InForce:
    """Read the numbers in force, at most every thirty seconds: a request must not pay for what changes once a year."""
    engine = work.session.get_bind()
    kept = _in_force.get(engine)
    if kept is None or not dt.timedelta() <= work.now - kept.read_at < KEPT_FOR:
        versions = work.session.scalars(
            select(PolicyVersion).where(PolicyVersion.superseded_at.is_(None))
        ).all()
        for version in versions:
            work.session.expunge(version)
        kept = _in_force[engine] = InForce(work.now, tuple(versions))
    return kept
