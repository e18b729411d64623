"""Writes a visit record for people: its sections as questions and answers, and where it was as a map in words."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.http.parts import parts
from server.ledger.work import Work
from server.places.datums import from_gcj02, place_of
from server.places.rules import fence
from server.places.terms import Datum, FencePolicy, Fix, NoLocationReason, Point, Verdict
from server.policies.service import in_force
from server.terms import Term
from server.tools import business_day
from server.visits.answers import NOT_ASKED, QUESTIONS, Question, Section
from server.visits.earlier import PlaceBefore
from server.visits.terms import (
    AbsenceReason,
    Conclusion,
    ContactWay,
    IdentityCheck,
    InformantRelation,
    Method,
    NeedKind,
    Outcome,
    Purpose,
    Signer,
    SigningManner,
)
from server.web import maps, showing
from server.web.showing import label

_YES_NO = {True: "是", False: "否"}


@dataclass(frozen=True, slots=True)
class Line:
    """One question as answered; `is_gap`: it was not asked."""

    name: str
    label: str
    text: str
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """Where the phone was, beside the home: a drawing and the same in words."""

    drawing: maps.Map | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A visit as a page shows it."""

    head: tuple[Line, ...]
    sections: tuple[tuple[str, tuple[Line, ...]], ...]
    needs: tuple[Line, ...]
    absence: tuple[Line, ...]
    signatures: tuple[Line, ...]
    where: Where


def record(
    work: Work, visit: Mapping[str, Any], person: Mapping[str, Any], before: Sequence[PlaceBefore] = ()
) -> Record:
    """Write a visit for the page of its reviewer; `before` are the places of the visits before it."""
    return Record(
        head=tuple(_head(visit)),
        sections=tuple(_sections(visit.get("answers") or {})),
        needs=tuple(
            Line("need", label(need["kind"], NeedKind), need.get("detail") or "")
            for need in visit.get("needs") or ()
        ),
        absence=tuple(_absence(visit.get("absence"))),
        signatures=tuple(_signatures(visit.get("signatures") or ())),
        where=where(work, visit, person, before),
    )


def answer_text(question: Question, value: Any) -> str:
    """Write one answer as people read it."""
    if value == NOT_ASKED:
        return "未询问"
    if isinstance(value, bool):
        return _YES_NO[value]
    if isinstance(value, (list, tuple)):
        return "、".join(label(one, question.vocabulary) for one in value) or "无"
    return label(value, question.vocabulary)


def _head(visit: Mapping[str, Any]) -> Iterator[Line]:
    words: tuple[tuple[str, str, type[Term]], ...] = (
        ("outcome", "走访结果", Outcome),
        ("method", "走访方式", Method),
        ("identity_checked_by", "核对身份", IdentityCheck),
        ("conclusion", "走访结论", Conclusion),
    )
    for name, title, vocabulary in words:
        if visit.get(name) is not None:
            yield Line(name, title, label(visit[name], vocabulary))
    yield Line("purposes", "走访目的", "、".join(label(one, Purpose) for one in visit.get("purposes") or ()))


def _sections(answers: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Line, ...]]]:
    for section in Section:
        lines = tuple(
            Line(name, question.label, answer_text(question, answers[name]), answers[name] == NOT_ASKED)
            for name, question in QUESTIONS.items()
            if question.section is section and answers.get(name) is not None
        )
        if lines:
            yield section.label, lines


def _absence(absence: Mapping[str, Any] | None) -> Iterator[Line]:
    if absence is None:
        return
    yield Line("absence_reason", "未遇见原因", label(absence.get("absence_reason"), AbsenceReason))
    yield Line("whereabouts", "去向", absence.get("whereabouts") or "—")
    yield Line("last_seen_on", "最后有人见到", absence.get("last_seen_on") or "—")
    tried = "、".join(label(way, ContactWay) for way in absence.get("contact_tried") or ())
    yield Line("contact_tried", "尝试联系", tried or "没有")
    yield Line("next_try_on", "下次再访", absence.get("next_try_on") or "—")
    for informant in absence.get("informants") or ():
        who = f"{label(informant['relation'], InformantRelation)} {informant['name']}"
        yield Line("informant", f"知情人：{who}", informant["said"])


def _signatures(signatures: Any) -> Iterator[Line]:
    for one in signatures:
        text = "，".join(
            part for part in (label(one["manner"], SigningManner), one.get("name"), one.get("reason")) if part
        )
        yield Line("signature", label(one["signer"], Signer), text)


def where(
    work: Work, visit: Mapping[str, Any], person: Mapping[str, Any], before: Sequence[PlaceBefore] = ()
) -> Where:
    """Say where the phone was, beside the home that is registered today and the places of earlier visits."""
    home, fix = _home(person.get("home")), _fix(visit.get("location"))
    policy = _policy(work, person["village"]["code"])
    verdict = fence(home, fix, policy)
    spots: list[maps.Spot] = []
    if home is not None:
        spots.append(maps.Spot("home", "住处", home, policy.radius_m))
    if fix is not None and not fix.is_blank:
        spots.append(maps.Spot("fix", "本次定位", place_of(fix), fix.known_accuracy_m))
    seen = [(one.occurred_at, _fix(one.location)) for one in before]
    earlier = [(at, place) for at, place in seen if place is not None and not place.is_blank]
    spots += [maps.Spot("earlier", "", place_of(place)) for _, place in earlier] if spots else []
    words = (*_words(visit, home, fix, verdict), *(_earlier_words(home, earlier) if home else ()))
    return Where(maps.drawn(spots, parts().settings.map_tiles_url), words)


def _earlier_words(home: Point, earlier: Sequence[tuple[dt.datetime, Fix]]) -> Iterator[str]:
    if earlier:
        told = "；".join(
            f"{showing.day(business_day(at))} {maps.way(home, place_of(fix))}" for at, fix in earlier
        )
        yield f"以前的定位（图上灰点）：{told}。"


def _words(visit: Mapping[str, Any], home: Point | None, fix: Fix | None, verdict: Verdict) -> Iterator[str]:
    if fix is None:
        reason = label(visit.get("no_location_reason"), NoLocationReason)
        yield f"没有定位（{reason}）。没有定位不表示没有走访。"
        return
    accuracy = "精度不明" if verdict.accuracy_m is None else f"精度 {maps.length(verdict.accuracy_m)}"
    if home is None:
        yield f"住处还没有标定位置，无法比较（定位{accuracy}）。"
        return
    yield f"定位{maps.way(home, place_of(fix))}（{accuracy}）：{verdict.fence.label}。"
    if verdict.doubt is not None:
        yield f"无法判断的原因：{verdict.doubt.label}。"


def _home(home: Mapping[str, Any] | None) -> Point | None:
    return None if home is None else from_gcj02(home["latitude"], home["longitude"])


def _fix(location: Mapping[str, Any] | None) -> Fix | None:
    if location is None:
        return None
    datum = next(one for one in Datum if one.value == location["datum"])
    return Fix(location["latitude"], location["longitude"], datum, location.get("accuracy_m"))


def _policy(work: Work, area_code: str) -> FencePolicy:
    numbers = in_force(work)
    return FencePolicy(
        radius_m=float(numbers.on("fence.radius", work.today, area_code)),
        worst_accuracy_m=float(numbers.on("fence.worst_accuracy", work.today, area_code)),
    )
