"""Who must stay out, and how the work is spread: pure rules as properties."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from server.spotchecks.conflicts import Checker, VisitToCheck, spread, why_not
from server.spotchecks.terms import CannotCheck

TOWNSHIP, VILLAGE, OTHER = "341882003", "341882003200", "341882100"
WORKERS = [UUID(int=number) for number in range(1, 9)]
IDS = st.frozensets(st.sampled_from(WORKERS), max_size=3)
VISITS = st.builds(
    VisitToCheck,
    check_id=st.uuids(),
    person_id=st.sampled_from([UUID(int=100), UUID(int=101)]),
    village=st.just(VILLAGE),
    recorder=st.sampled_from(WORKERS),
    visitors=IDS,
    answers_for=IDS,
    decided=IDS,
)
CHECKERS = st.lists(
    st.builds(
        Checker,
        worker_id=st.sampled_from(WORKERS),
        area_code=st.sampled_from([TOWNSHIP, "341882", OTHER]),
        relatives=st.frozensets(st.sampled_from([*WORKERS, UUID(int=100)]), max_size=2),
    ),
    unique_by=lambda one: one.worker_id,
    max_size=6,
)


def visit(**more: object) -> VisitToCheck:
    usual: dict[str, object] = {
        "check_id": UUID(int=50),
        "person_id": UUID(int=100),
        "village": VILLAGE,
        "recorder": WORKERS[0],
        "visitors": frozenset({WORKERS[0]}),
    }
    return VisitToCheck(**usual | more)  # type: ignore[arg-type]


def test_each_reason_keeps_somebody_out() -> None:
    me = WORKERS[5]
    able = Checker(me, TOWNSHIP)
    assert why_not(able, visit()) is None
    assert why_not(able, visit(visitors=frozenset({me}))) is CannotCheck.VISITED
    assert why_not(able, visit(recorder=me)) is CannotCheck.RECORDED
    assert why_not(able, visit(answers_for=frozenset({me}))) is CannotCheck.ANSWERS_FOR
    related = Checker(me, TOWNSHIP, frozenset({UUID(int=100)}))
    assert why_not(related, visit()) is CannotCheck.RELATED_TO_PERSON
    family = Checker(me, TOWNSHIP, frozenset({WORKERS[0]}))
    assert why_not(family, visit()) is CannotCheck.RELATED_TO_VISITOR
    assert why_not(family, visit(visitors=frozenset({WORKERS[1]}))) is CannotCheck.RELATED_TO_VISITOR
    assert why_not(Checker(me, OTHER), visit()) is CannotCheck.OUT_OF_AREA
    assert why_not(Checker(me, "341882"), visit()) is None


@given(st.lists(VISITS, max_size=20, unique_by=lambda one: one.check_id), CHECKERS)
def test_whoever_is_given_a_visit_may_check_it_and_nobody_able_is_overlooked(
    visits: list[VisitToCheck], checkers: list[Checker]
) -> None:
    given_to, without = spread(visits, checkers, {})
    by_id = {one.worker_id: one for one in checkers}
    assert given_to.keys() | without.keys() == {one.check_id for one in visits}
    assert not given_to.keys() & without.keys()
    for one in visits:
        if one.check_id in given_to:
            assert why_not(by_id[given_to[one.check_id]], one) is None
        else:
            assert all(why_not(checker, one) is not None for checker in checkers)
            assert sum(without[one.check_id].values()) == len(checkers)
    assert spread(visits, checkers, {}) == (given_to, without)


@given(
    st.integers(0, 60), st.integers(1, 6), st.dictionaries(st.sampled_from(WORKERS[:6]), st.integers(0, 9))
)
def test_where_all_may_check_the_work_is_even(count: int, hands: int, held: dict[UUID, int]) -> None:
    checkers = [Checker(worker, TOWNSHIP) for worker in WORKERS[:hands]]
    visits = [
        visit(check_id=UUID(int=1000 + number), recorder=WORKERS[7], visitors=frozenset())
        for number in range(count)
    ]
    given_to, _ = spread(visits, checkers, held)
    load = Counter({one.worker_id: held.get(one.worker_id, 0) for one in checkers})
    before = dict(load)
    load.update(given_to.values())
    raised = [load[worker] for worker in before if load[worker] > before[worker]]
    assert not raised or max(raised) - min(load.values()) <= 1


def test_who_has_not_judged_the_record_goes_first_and_who_has_is_better_than_nobody() -> None:
    fresh, judged = Checker(WORKERS[5], TOWNSHIP), Checker(WORKERS[4], TOWNSHIP)
    one = visit(decided=frozenset({judged.worker_id}))
    assert spread([one], [judged, fresh], {fresh.worker_id: 9})[0] == {one.check_id: fresh.worker_id}
    assert spread([one], [judged], {})[0] == {one.check_id: judged.worker_id}


def test_what_few_may_check_is_given_out_first() -> None:
    narrow, wide = Checker(WORKERS[5], TOWNSHIP), Checker(WORKERS[6], TOWNSHIP)
    free = [visit(check_id=UUID(int=200 + number)) for number in range(3)]
    bound = visit(check_id=UUID(int=300), answers_for=frozenset({wide.worker_id}))
    given_to, _ = spread([*free, bound], [narrow, wide], {})
    assert given_to[bound.check_id] == narrow.worker_id
    assert Counter(given_to.values()) == {narrow.worker_id: 2, wide.worker_id: 2}
