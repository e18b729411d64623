"""What is recorded about a person's care and home: assessments, caregiver, agreements, home, tags, consent."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select

from server.errors import Conflict, Invalid
from server.ledger.work import Work
from server.people.care_level import care_level
from server.people.editing import AlreadyExists, OpenFile, open_file
from server.people.enrolling import CENT, MOST_AMOUNT
from server.people.models import CareAgreement, CareAssessment, Caregiver, Home, Person, PersonTag
from server.people.rules import check_agreement, possible_day, said, said_surely
from server.people.terms import (
    LIMITS,
    Ability,
    Assessment,
    NewAgreement,
    NewCaregiver,
    NewHome,
    Tag,
    TagGiven,
)
from server.places.datums import place_of
from server.places.terms import Fix


class NoCaregiver(Conflict):
    """A care agreement needs a caregiver, and none is on file."""

    title = "尚未登记照料服务人"
    detail = "请先登记照料服务人，再登记照料服务协议。"


def assess(work: Work, person_id: UUID, new: Assessment) -> CareAssessment:
    """Record a self-care assessment; the newest one decides the level of care. A repeat is harmless."""
    new = replace(new, can=dict(new.can), assessor=said_surely(new.assessor, "assessor", 100))
    level = care_level(new.can)
    file = open_file(work, person_id)
    there = work.session.get(CareAssessment, new.id)
    if there is not None:
        if not file.is_repeat("care.assessed", "care_assessment", new.id, new):
            raise AlreadyExists
        return there
    file = open_file(work, person_id, alive=True)
    possible_day(new.assessed_on, "assessed_on", work.today)
    newest = work.session.scalar(
        select(func.max(CareAssessment.assessed_on)).where(CareAssessment.person_id == person_id)
    )
    row = CareAssessment(
        id=new.id,
        person_id=person_id,
        **{f"can_{ability}": new.can[ability] for ability in Ability},
        level=level,
        assessed_on=new.assessed_on,
        assessor=new.assessor,
        recorded_at=work.now,
        recorded_by=work.actor_id,
    )
    work.session.add(row)
    before = file.person.care_level
    if newest is None or new.assessed_on >= newest:
        file.person.care_level = level
    work.session.flush()
    file.tell(
        "care.assessed",
        "care_assessment",
        row.id,
        {"asked": new, "before": before, "after": file.person.care_level},
        duties=True,
    )
    return row


def set_caregiver(work: Work, person_id: UUID, new: NewCaregiver | None) -> Caregiver | None:
    """Put somebody in the place of the present caregiver; None when nobody cares any more. A repeat is harmless."""
    file = open_file(work, person_id, alive=True)
    old = caregiver_of(file)
    held = (
        None
        if old is None
        else NewCaregiver(
            old.name, old.relation, file.open_from("caregivers", "phone_sealed", old.id, old.phone_sealed)
        )
    )
    if new is not None:
        new = replace(new, name=said_surely(new.name, "name", 100), phone=said(new.phone, "phone", 40))
    if held == new:
        return old
    if old is not None:
        old.superseded_at = work.now
    row = None
    if new is not None:
        row_id = work.new_id()
        row = Caregiver(
            id=row_id,
            person_id=person_id,
            name=new.name,
            relation=new.relation,
            phone_sealed=file.seal_for("caregivers", "phone_sealed", row_id, new.phone),
            recorded_at=work.now,
            recorded_by=work.actor_id,
        )
        work.session.add(row)
    work.session.flush()
    subject = row or old
    assert subject is not None
    file.tell("caregiver.set", "caregiver", subject.id, {"before": held, "after": new})
    return row


def caregiver_of(file: OpenFile) -> Caregiver | None:
    """Read who cares for the person now."""
    return file.work.session.scalars(
        select(Caregiver).where(Caregiver.person_id == file.person.id, Caregiver.superseded_at.is_(None))
    ).one_or_none()


def agree(work: Work, person_id: UUID, new: NewAgreement) -> CareAgreement:
    """Record a care agreement with the present caregiver; those whose days it meets are replaced by it."""
    file = open_file(work, person_id)
    check_agreement(new.signed_on, new.starts_on, new.ends_on, work.today)
    if new.monthly_fee is not None:
        if not (new.monthly_fee.is_finite() and 0 <= new.monthly_fee < MOST_AMOUNT):
            raise Invalid(errors={"monthly_fee": ["金额有误。"]})
        new = replace(new, monthly_fee=new.monthly_fee.quantize(CENT))
    there = work.session.get(CareAgreement, new.id)
    if there is not None:
        if not file.is_repeat("agreement.made", "care_agreement", new.id, new):
            raise AlreadyExists
        return there
    file = open_file(work, person_id, alive=True)
    caregiver = caregiver_of(file)
    if caregiver is None:
        raise NoCaregiver
    replaced = work.session.scalars(
        select(CareAgreement).where(
            CareAgreement.person_id == person_id,
            CareAgreement.superseded_at.is_(None),
            CareAgreement.starts_on <= new.ends_on,
            CareAgreement.ends_on >= new.starts_on,
        )
    ).all()
    for one in replaced:
        one.superseded_at = work.now
    row = CareAgreement(
        id=new.id,
        person_id=person_id,
        caregiver_id=caregiver.id,
        signed_on=new.signed_on,
        starts_on=new.starts_on,
        ends_on=new.ends_on,
        monthly_fee=new.monthly_fee,
        recorded_at=work.now,
        recorded_by=work.actor_id,
    )
    work.session.add(row)
    work.session.flush()
    file.tell(
        "agreement.made", "care_agreement", row.id, {"asked": new, "before": [one.id for one in replaced]}
    )
    return row


def set_home(work: Work, person_id: UUID, new: NewHome) -> Home:
    """Set where the home is; the earlier place stays in its history. A repeat is harmless."""
    try:
        fix = Fix(new.latitude, new.longitude, new.datum, new.accuracy_m)
        place = place_of(fix)
    except ValueError:
        raise Invalid(errors={"latitude": ["经纬度有误。"]}) from None
    if fix.is_blank:
        raise Invalid(errors={"latitude": ["没有定位成功，请重新定位。"]})
    file = open_file(work, person_id, alive=True)
    old = work.session.scalars(
        select(Home).where(Home.person_id == person_id, Home.superseded_at.is_(None))
    ).one_or_none()
    accuracy = fix.known_accuracy_m
    held = None if old is None else NewHome(old.latitude, old.longitude, old.datum, old.accuracy_m)
    new = replace(new, accuracy_m=accuracy)
    if old is not None and held == new:
        return old
    if old is not None:
        old.superseded_at = work.now
        work.session.flush()
    row = Home(
        id=work.new_id(),
        person_id=person_id,
        latitude=new.latitude,
        longitude=new.longitude,
        datum=new.datum,
        wgs_latitude=place.latitude,
        wgs_longitude=place.longitude,
        accuracy_m=accuracy,
        set_at=work.now,
        set_by=work.actor_id,
    )
    work.session.add(row)
    work.session.flush()
    file.tell("home.set", "home", row.id, {"before": held, "after": new})
    return row


def set_photo_consent(work: Work, person_id: UUID, *, given: bool) -> Person:
    """Record that a person agrees to photos, or does not any more. A repeat is harmless."""
    file = open_file(work, person_id, alive=True)
    if file.person.photo_consent is not given:
        before, file.person.photo_consent = file.person.photo_consent, given
        file.tell("photo_consent.set", "person", person_id, {"before": before, "after": given})
    return file.person


def set_tags(work: Work, person_id: UUID, tags: Sequence[TagGiven]) -> list[PersonTag]:
    """Set what a person carries from now on: new tags begin, those not named end yesterday. A repeat is harmless."""
    wanted = _checked_tags(work, tags)
    file = open_file(work, person_id, alive=True)
    held = {(row.tag, row.detail): row for row in tags_in_force(file)}
    for name, row in held.items():
        if name not in wanted:
            _end_tag(file, row, work.today - dt.timedelta(days=1))
    for name, given in wanted.items():
        there = held.get(name)
        if there is not None and there.valid_from == given.valid_from and there.valid_to is None:
            continue
        if there is not None:
            there.superseded_at = work.now
        _write_tag(file, given, None, "tag.given")
    work.session.flush()
    return tags_in_force(file)


def _checked_tags(work: Work, tags: Sequence[TagGiven]) -> dict[tuple[Tag, str | None], TagGiven]:
    if len(tags) > LIMITS.most_tags:
        raise Invalid(errors={"tags": [f"最多 {LIMITS.most_tags} 项。"]})
    wanted: dict[tuple[Tag, str | None], TagGiven] = {}
    for number, one in enumerate(tags):
        possible_day(one.valid_from, f"tags.{number}.valid_from", work.today, ahead=True)
        kept = replace(one, detail=said(one.detail, f"tags.{number}.detail", 40))
        if (kept.tag, kept.detail) in wanted:
            raise Invalid(errors={f"tags.{number}.tag": ["同一标签填写了两次。"]})
        wanted[kept.tag, kept.detail] = kept
    return wanted


def tags_in_force(file: OpenFile) -> list[PersonTag]:
    """Read the tags that are carried today or later, as they are known now."""
    return list(
        file.work.session.scalars(
            select(PersonTag)
            .where(
                PersonTag.person_id == file.person.id,
                PersonTag.superseded_at.is_(None),
                PersonTag.valid_to.is_(None) | (PersonTag.valid_to >= file.work.today),
            )
            .order_by(PersonTag.valid_from, PersonTag.id)
        )
    )


def _end_tag(file: OpenFile, row: PersonTag, last: dt.date) -> None:
    row.superseded_at = file.work.now
    given = TagGiven(row.tag, row.valid_from, row.detail)
    if last >= row.valid_from:
        _write_tag(file, given, last, "tag.ended")
    else:
        file.tell("tag.withdrawn", "person_tag", row.id, {"before": given}, duties=True)


def _write_tag(file: OpenFile, given: TagGiven, valid_to: dt.date | None, action: str) -> None:
    row = PersonTag(
        id=file.work.new_id(),
        person_id=file.person.id,
        tag=given.tag,
        detail=given.detail,
        valid_from=given.valid_from,
        valid_to=valid_to,
        recorded_at=file.work.now,
    )
    file.work.session.add(row)
    file.tell(action, "person_tag", row.id, {"after": given, "valid_to": valid_to}, duties=True)
