"""Words of auditing: what kind of look an entry tells of, and what an auditor may ask for."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from server.terms import Term


class LookKind(Term):
    """What of a person was looked at (查看方式)."""

    LIST = "list", "列表中看到", "本系统"
    WORKLIST = "worklist", "走访清单", "本系统"
    SYNC = "sync", "手机同步", "本系统"
    FILE = "file", "查看档案", "本系统"
    TIMELINE = "timeline", "查看经过", "本系统"
    VISIT = "visit", "查看走访记录", "本系统"
    PHOTO = "photo", "查看照片", "本系统"
    PHOTO_ORIGINAL = "photo_original", "查看照片原图", "本系统"
    REVEAL = "reveal", "查看原始信息", "TRUST §2"
    EXPORT = "export", "导出", "本系统"
    RECEIPT = "receipt", "领取回执", "本系统"
    LOOKS = "looks", "查看谁看过", "本系统"
    REFUSED = "refused", "越权查看被拒", "CONTRACT §1"
    OTHER = "other", "其他查看", "本系统"


KINDS: Mapping[str, LookKind] = {
    "archives.read": LookKind.LIST,
    "visits.read": LookKind.LIST,
    "reviews.queue_read": LookKind.LIST,
    "reviews.blind_read": LookKind.LIST,
    "reviews.disagreements_read": LookKind.LIST,
    "problems.read": LookKind.LIST,
    "overdue.read": LookKind.LIST,
    "worklist.read": LookKind.WORKLIST,
    "sync.read": LookKind.SYNC,
    "archive.read": LookKind.FILE,
    "person.read": LookKind.FILE,
    "archive.timeline_read": LookKind.TIMELINE,
    "visit.read": LookKind.VISIT,
    "visit.history_read": LookKind.VISIT,
    "visit.compared": LookKind.VISIT,
    "visit.looked_again": LookKind.VISIT,
    "visit.upheld": LookKind.VISIT,
    "visit.receipt_read": LookKind.RECEIPT,
    "photo.read": LookKind.PHOTO,
    "photo.original_read": LookKind.PHOTO_ORIGINAL,
    "person.revealed": LookKind.REVEAL,
    "archive.looks_read": LookKind.LOOKS,
    "refused.out_of_sight": LookKind.REFUSED,
}
"""What kind of look an action is; a new action that ends in `exported` is an export, any other one is `other`."""

NO_LOOKS = ("visit.repeated", "visit.decision_repeated", "problem.step_repeated", "evidence.found")
"""Entries that change nothing and show nothing: what was sent twice, a rule that was computed."""


def kind_of(action: str) -> LookKind:
    """Say what kind of look an entry tells of."""
    if action.endswith("exported"):
        return LookKind.EXPORT
    return KINDS.get(action, LookKind.OTHER)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries an auditor looks for; all that is given must hold. `until` is not included."""

    person_id: UUID | None = None
    actor_id: UUID | None = None
    subject_kind: str | None = None
    subject_id: UUID | None = None
    action: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
