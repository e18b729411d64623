"""What is stored of a record: its fingerprint, what differs between two, and which parts of it are sealed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from server.people.terms import Category
from server.visits import rules
from tests.builders.visits import (
    a_hazard,
    a_photo,
    a_visit_body,
    accept,
    an_absence,
    usual_answers,
    visit_bodies,
)
from tests.visits.test_form_rules import BOTH, NOT_THERE, load, visit

PRIVATE_WORDS = st.uuids().map(str)


@settings(max_examples=60, deadline=None)
@given(visit_bodies())
def test_every_valid_body_is_accepted_and_survives_being_stored(body: dict[str, Any]) -> None:
    record = load(body)
    accept(record, photo_consent=True)
    written = rules.body(record)
    assert rules.from_body(written) == record
    again = load(written)
    assert again == record
    assert rules.fingerprint(again) == rules.fingerprint(record)
    open_body, private = rules.split(record)
    assert rules.join(open_body, rules.read_private(rules.write_private(private))) == written
    assert rules.differing_fields(record, again) == []
    rules.from_body(rules.join(open_body, {}))  # after an erasure
    answered, required = rules.completeness(record, Category.TEKUN_DISPERSED)
    assert 0 <= answered <= required


@settings(max_examples=60, deadline=None)
@given(visit_bodies(), visit_bodies())
def test_records_have_one_fingerprint_exactly_when_no_field_differs(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    mine, theirs = load(one), load(one | {"notes": other.get("notes")})
    same = rules.fingerprint(mine) == rules.fingerprint(theirs)
    assert same == (rules.differing_fields(mine, theirs) == [])
    assert rules.differing_fields(mine, load(other))


def test_a_fingerprint_ignores_offsets_and_gaps_but_no_letter_and_no_order() -> None:
    plain = rules.fingerprint(visit(notes="é", visitors=BOTH))
    assert plain == rules.fingerprint(visit(notes="é", visitors=BOTH, occurred_at="2026-03-05T01:12:00Z"))
    bare = a_visit_body(notes="é", visitors=BOTH)
    for name in ("needs", "absence", "no_photo_reason", "signatures", "no_location_reason"):
        del bare[name]
    assert plain == rules.fingerprint(load(bare))
    assert plain == rules.fingerprint(
        visit(notes="é", visitors=BOTH, answers=usual_answers() | {"gas": None})
    )
    assert plain != rules.fingerprint(visit(notes="e\u0301", visitors=BOTH))
    assert plain != rules.fingerprint(visit(notes="é", visitors=BOTH[::-1]))
    assert plain != rules.fingerprint(visit(notes="é ", visitors=BOTH))


def test_a_conflict_names_the_fields_that_differ() -> None:
    changed = visit(
        answers=usual_answers() | {"food": "poor"}, notes="改", location=None, no_location_reason="indoor"
    )
    assert rules.differing_fields(visit(), changed) == [
        "location",
        "no_location_reason",
        "answers.food",
        "notes",
    ]
    moved = a_visit_body()
    moved["location"]["latitude"] = 30.9
    assert rules.differing_fields(visit(), load(moved)) == ["location.latitude"]


@settings(max_examples=25, deadline=None)
@given(PRIVATE_WORDS)
def test_no_free_text_stays_in_the_open_part(secret: str) -> None:
    body = a_visit_body(
        **NOT_THERE
        | {
            "answers": {"appeals": secret, "economy_note": secret, "clothing_note": secret, "food": "poor"},
            "absence": an_absence(
                informants=[{"relation": "other", "name": secret, "said": secret, "phone": secret}],
                whereabouts=secret,
            ),
            "needs": [{"kind": "medical", "detail": secret}],
            "problems": [a_hazard(description=secret, owner=secret)],
            "photos": [a_photo()],
            "village_assistant": secret,
            "notes": secret,
            "no_photo_reason": secret,
            "signatures": [{"signer": "witness", "manner": "sign", "name": secret, "reason": secret}],
        }
    )
    open_body, private = rules.split(load(body))
    assert secret not in str(open_body)
    assert str(private).count(secret) == 15
    assert open_body["answers"] == {"food": "poor"}
    assert open_body["absence"]["last_seen_on"] == "2026-03-04"
    assert open_body["location"]["latitude"] == 30.8931


def test_a_suspicion_of_abuse_is_sealed() -> None:
    open_body, private = rules.split(visit(answers=usual_answers() | {"abuse_suspected": True}))
    assert "abuse_suspected" not in open_body["answers"]
    assert private == {"answers.abuse_suspected": True}


def test_a_record_with_nothing_private_has_no_private_part() -> None:
    assert rules.split(visit())[1] == {}
