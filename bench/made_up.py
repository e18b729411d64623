"""Visits that did not happen as they are told, of kinds that were met elsewhere (PEERS §1g), each with what should find it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from random import Random  # noqa: TID251  (lent with its seed)

from bench import scenes
from bench.field_work import (
    Old,
    Planned,
    Township,
    answers,
    attach,
    camera,
    fix,
    moved,
    own_words,
    visit,
    wire,
)
from server.tools import SHANGHAI

Maker = Callable[[Township, int, Sequence[Old], dt.datetime, Sequence[Planned]], list[Planned]]
SEEN = frozenset({"photo_same_bytes", "photo_near_duplicate"})
FIRST = dt.datetime(2026, 4, 1, 9, 0, tzinfo=SHANGHAI)


def _quiet(town: Township, worker: int, person: Old, at: dt.datetime) -> Planned:
    """Make a visit in which nothing else is odd: what is found must be what was made up."""
    planned = visit(town, worker, person, at)
    planned.photos, planned.body["photos"] = [], []
    planned.body["location"] = fix(person.home, at, Random(planned.id.int))
    planned.body["location"]["accuracy_m"] = 20
    planned.body["no_location_reason"] = None
    planned.body["ended_at"] = wire(at + dt.timedelta(minutes=15))
    planned.body["client_created_at"] = wire(at + dt.timedelta(minutes=16))
    planned.received_at, planned.phone_ahead = at + dt.timedelta(minutes=17), dt.timedelta()
    planned.body["notes"] = own_words(town.chance)
    return planned


def _marked(kind: str, expected: str | frozenset[str], made: list[Planned]) -> list[Planned]:
    for one in made:
        one.kind = kind
        one.expected = frozenset({expected}) if isinstance(expected, str) else expected
    return made


def _reusing(kind: str, change: scenes.Change | None, *, own: bool) -> Maker:
    def make(
        town: Township, worker: int, people: Sequence[Old], at: dt.datetime, past: Sequence[Planned]
    ) -> list[Planned]:
        person = people[0]
        fitting = [one for one in past if one.photos and one.kind is None and (one.person is person) is own]
        if not fitting:
            return []
        file = town.chance.choice(fitting).photos[0][1]
        if change is not None:
            file = scenes.jpeg(change(scenes.opened(file), town.chance), 80)
        planned = _quiet(town, worker, person, at)
        attach(town, planned, file)
        return _marked(kind, SEEN, [planned])

    return make


def _desk(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    made = []
    for number, person in enumerate(people[:6]):
        planned = _quiet(town, worker, person, at + dt.timedelta(minutes=25 * number))
        planned.body["location"] = fix(town.offices[worker], at, town.chance) | {
            "accuracy_m": 25,
            "taken_at": None,
        }
        made.append(planned)
    return _marked("recorded at a desk", frozenset({"one_spot", "fence_outside"}), made)


def _slow_desk(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    made = []
    for number, person in enumerate(people[:6]):
        when = at + dt.timedelta(days=number, minutes=town.chance.randrange(200))
        planned = _quiet(town, worker, person, when)
        spot = moved(town.offices[worker], town.chance.uniform(0, 20), town.chance.uniform(0, 360))
        planned.body["location"] = fix(spot, when, town.chance) | {"accuracy_m": 15, "taken_at": None}
        made.append(planned)
    return _marked("one a day from a desk", frozenset({"one_spot", "fence_outside"}), made)


def _travel(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    first = _quiet(town, worker, people[0], at)
    second = _quiet(town, worker, people[1], at + dt.timedelta(minutes=15 + town.chance.randint(0, 4)))
    far = moved(people[0].home, town.chance.uniform(15_000, 30_000), town.chance.uniform(0, 360))
    second.body["location"] = fix(far, at, town.chance) | {"accuracy_m": 20, "taken_at": None}
    return _marked("impossible travel", "travel_impossible", [first, second])


def _overlap(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    far = max(people, key=lambda one: abs(one.home.latitude - people[0].home.latitude))
    first = _quiet(town, worker, people[0], at)
    second = _quiet(town, worker, far, at + dt.timedelta(minutes=town.chance.randint(1, 8)))
    return _marked("two at once", frozenset({"visits_overlap", "travel_impossible"}), [first, second])


def _lasting(kind: str, seconds: tuple[int, int]) -> Maker:
    def make(
        town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
    ) -> list[Planned]:
        planned = _quiet(town, worker, people[0], at)
        planned.body["ended_at"] = wire(at + dt.timedelta(seconds=town.chance.randint(*seconds)))
        return _marked(kind, "too_short", [planned])

    return make


def _notes(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    text = own_words(town.chance) + own_words(town.chance)
    made = []
    for number, person in enumerate(people[:3]):
        planned = _quiet(town, worker, person, at + dt.timedelta(hours=number))
        planned.body["notes"] = text.replace("老人", ("老人", "大爷", "大娘")[number]).replace(
            "。", "。！"[number % 2]
        )
        made.append(planned)
    return _marked("notes copied with small edits", frozenset({"notes_copied", "text_in_many"}), made)


def _same_answers(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    told = answers(town.chance, usual=0.6)
    made = []
    for number, person in enumerate(people[:4]):
        planned = _quiet(town, worker, person, at + dt.timedelta(hours=number))
        planned.body["answers"] = dict(told)
        made.append(planned)
    return _marked("answers copied across people", "answers_copied", made)


def _series(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    made_at = at + dt.timedelta(days=7)
    made = []
    for number, person in enumerate(people[:4]):
        planned = _quiet(
            town, worker, person, at + dt.timedelta(days=number, minutes=town.chance.randrange(300))
        )
        made_at += dt.timedelta(minutes=town.chance.randint(2, 6))
        planned.body["client_created_at"] = wire(made_at)
        planned.body["location"], planned.body["no_location_reason"] = None, "no_signal"
        planned.received_at = made_at + dt.timedelta(minutes=1)
        made.append(planned)
    return _marked("a week filled in at once", frozenset({"written_in_series", "recorded_later"}), made)


def _camera(kind: str, hours: tuple[int, int]) -> Maker:
    """A photo whose camera says another time: an old one, or a visit back-dated by a clock that was set back."""

    def make(
        town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
    ) -> list[Planned]:
        planned = _quiet(town, worker, people[0], at)
        exif = camera(at + dt.timedelta(hours=town.chance.randint(*hours)))
        attach(town, planned, scenes.jpeg(scenes.shot(people[0].number, town.chance), exif=exif))
        planned.received_at = at + dt.timedelta(days=5)
        return _marked(kind, "photo_time", [planned])

    return make


def _dead(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    """Visit, after it is told to the player (who records the death), somebody who died weeks ago."""
    return _marked("met after death", "met_after_death", [_quiet(town, worker, people[0], at)])


def _elsewhere(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    known = [one for one in people if one.is_known]
    if not known:
        return []
    planned = _quiet(town, worker, known[0], at)
    far = moved(known[0].home, town.chance.uniform(700, 9000), town.chance.uniform(0, 360))
    planned.body["location"] = fix(far, at, town.chance) | {"accuracy_m": 30, "taken_at": None}
    return _marked("recorded far from the home", "fence_outside", [planned])


def _ahead(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    planned = _quiet(town, worker, people[0], at)
    planned.phone_ahead = dt.timedelta(minutes=town.chance.randint(15, 600))
    planned.body["client_created_at"] = wire(planned.received_at + planned.phone_ahead)
    return _marked("phone clock set ahead", "clock_off", [planned])


def _feigned(
    town: Township, worker: int, people: Sequence[Old], at: dt.datetime, _: Sequence[Planned]
) -> list[Planned]:
    """A program feigns the place of one home, to the last digit, for visits of several days."""
    made = []
    place = fix(people[0].home, at, town.chance) | {"accuracy_m": 10, "taken_at": None}
    for number in range(3):
        planned = _quiet(town, worker, people[0], at + dt.timedelta(days=2 * number, minutes=7 * number))
        planned.body["location"] = dict(place)
        made.append(planned)
    return _marked("a feigned place", "same_fix", made)


KNOWN: Mapping[str, Maker] = {
    "photo of another home, same file": _reusing("photo of another home, same file", None, own=False),
    "own photo of last month, same file": _reusing("own photo of last month, same file", None, own=True),
    **{
        f"photo of another home, {name}": _reusing(f"photo of another home, {name}", change, own=False)
        for name, change in scenes.KNOWN.items()
    },
    **{
        f"own photo, {name}": _reusing(f"own photo, {name}", change, own=True)
        for name, change in scenes.KNOWN.items()
    },
    "recorded at a desk": _desk,
    "recorded far from the home": _elsewhere,
    "impossible travel": _travel,
    "two at once": _overlap,
    "20 seconds for 18 answers": _lasting("20 seconds for 18 answers", (15, 25)),
    "notes copied with small edits": _notes,
    "answers copied across people": _same_answers,
    "a week filled in at once": _series,
    "photo of days before": _camera("photo of days before", (-200, -20)),
    "back-dated, the camera tells": _camera("back-dated, the camera tells", (20, 90)),
    "met after death": _dead,
    "phone clock set ahead": _ahead,
}
"""Kinds that the thresholds were chosen with."""
HELD_OUT: Mapping[str, Maker] = {
    **{
        f"photo of another home, {name}": _reusing(f"photo of another home, {name}", change, own=False)
        for name, change in scenes.HELD_OUT.items()
    },
    **{
        f"own photo, {name}": _reusing(f"own photo, {name}", change, own=True)
        for name, change in list(scenes.HELD_OUT.items())[:5]
    },
    "one a day from a desk": _slow_desk,
    "a feigned place": _feigned,
    "45 to 60 seconds for 18 answers": _lasting("45 to 60 seconds for 18 answers", (45, 60)),
}
"""Kinds and ranges that nothing was tuned on."""
