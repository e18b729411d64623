"""What words say: notes and answers that were carried from one person's record to another's."""

from collections.abc import Iterator

from server.evidence.likeness import alike
from server.evidence.rules.nearness import has_same_answers, has_same_notes, place_in_time
from server.evidence.terms import Finding, FindingCode, FindingSeverity, Marks, Thresholds, VisitFacts

NOTES_VERSION = "1"
ANSWERS_VERSION = "1"
MANY_VERSION = "1"
NAMED = 8


def notes_copied(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice notes that the same worker wrote, word for word or nearly, about somebody else.

    Short ones are left alone: honest people write "一切正常" all their lives.
    """
    mine = facts.marks
    others = [other for other in sorted(facts.around, key=place_in_time) if has_same_notes(mine, other, t)]
    if others:
        yield Finding(
            FindingCode.NOTES_COPIED,
            FindingSeverity.NOTICE,
            {
                "people": len({other.person_id for other in others}),
                "length": mine.text_length,
                "alike_percent": max(_percent(mine, other) for other in others),
                "visits": [str(other.visit_id) for other in others[:NAMED]],
            },
            NOTES_VERSION,
        )


def answers_copied(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice answers that are all the same as of other people, though some are out of the ordinary."""
    mine = facts.marks
    others = [other for other in sorted(facts.around, key=place_in_time) if has_same_answers(mine, other, t)]
    people = {other.person_id for other in others}
    if len(people) >= t.answers_people:
        yield Finding(
            FindingCode.ANSWERS_COPIED,
            FindingSeverity.NOTICE,
            {
                "people": len(people),
                "answers": mine.answers,
                "telling": mine.telling,
                "visits": [str(other.visit_id) for other in others[:NAMED]],
            },
            ANSWERS_VERSION,
        )


def text_in_many(facts: VisitFacts, t: Thresholds) -> Iterator[Finding]:
    """Notice a long text that stands in the records of several other people, whoever wrote them."""
    mine = facts.marks
    if mine.text_mark is None or mine.text_length < t.text_least:
        return
    others = [one for one in sorted(facts.same_text, key=place_in_time) if one.person_id != mine.person_id]
    people = {other.person_id for other in others}
    if len(people) >= t.text_people:
        yield Finding(
            FindingCode.TEXT_IN_MANY,
            FindingSeverity.NOTICE,
            {
                "people_at_least": len(people),
                "workers": len({other.worker_id for other in others} | {mine.worker_id}),
                "length": mine.text_length,
                "visits": [str(other.visit_id) for other in others[:NAMED]],
            },
            MANY_VERSION,
        )


RULES = (notes_copied, answers_copied, text_in_many)


def _percent(one: Marks, other: Marks) -> int:
    if one.text_mark == other.text_mark or one.sketch is None or other.sketch is None:
        return 100
    return int(100 * alike(one.sketch, other.sketch))
