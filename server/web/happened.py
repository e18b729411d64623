"""Says each line of a person's timeline as a sentence, and where it leads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.archives.terms import EventKind
from server.evidence.terms import FindingSeverity
from server.web.showing import day, label, moment, problem

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when, of what kind, in words; `visit_id` is the record that it leads to."""

    at: str
    kind: str
    text: str
    visit_id: UUID | None = None


def told(event: Mapping[str, Any]) -> Line:
    """Say one event of a timeline."""
    kind: EventKind = event["kind"]
    data: Data = event["data"]
    is_visit = kind in {EventKind.VISIT, EventKind.ATTEMPT}
    leads_to = event["id"] if is_visit else data.get("visit_id")
    at = moment(event["at"])
    return Line(at[:10] if at.endswith("00:00") else at, kind.label, WORDS[kind](data), leads_to)


def _visit(data: Data) -> str:
    late = "，补报" if data["filed_late"] else ""
    conclusion = f"，{label(data['conclusion'])}" if data["conclusion"] else ""
    return f"{data['worker']} {label(data['method'])}，{label(data['outcome'])}{conclusion}{late}（{label(data['state'])}）"


def _decision(data: Data) -> str:
    return f"{data['worker']} {label(data['decision'])}（第 {data['revision']} 版）"


def _enrolled(data: Data) -> str:
    return f"{label(data['category'])}，自 {day(data['valid_from'])}"


def _ended(data: Data) -> str:
    why = f"，{label(data['exit_reason'])}" if data["exit_reason"] else ""
    return f"{label(data['category'])}，至 {day(data['valid_to'])}{why}"


def _duty(data: Data) -> str:
    return f"{label(data['duty_kind'])}，{day(data['period_start'])} 至 {day(data['due_on'])}"


def _missed(data: Data) -> str:
    tried = f"，尝试 {data['attempts']} 次" if data["attempts"] else ""
    return f"{_duty(data)}{tried}"


WORDS: Mapping[EventKind, Callable[[Data], str]] = {
    EventKind.VISIT: _visit,
    EventKind.ATTEMPT: _visit,
    EventKind.DECISION: _decision,
    EventKind.ENROLLED: _enrolled,
    EventKind.ENROLMENT_ENDED: _ended,
    EventKind.ASSESSMENT: lambda data: f"{label(data['level'])}（{data['assessor'] or '评估人未记'}）",
    EventKind.AGREEMENT: lambda data: f"{day(data['starts_on'])} 至 {day(data['ends_on'])}",
    EventKind.PAUSE: lambda data: f"{label(data['reason'])}，至 {day(data['to_on'])}",
    EventKind.DUTY_MET: lambda data: f"{_duty(data)}，{day(data['met_on'])} 见到本人",
    EventKind.DUTY_MISSED: _missed,
    EventKind.HANDED_OVER: lambda data: f"{label(data['kind'])}：{data['worker']}",
    EventKind.PROBLEM: lambda data: (
        f"{label(data['severity'])}：{problem(data['code'])}（{label(data['state'])}）"
    ),
    EventKind.FINDING: lambda data: f"{label(data['severity'], FindingSeverity)}：{data['title']}",
}
