"""The draw as properties: the same from the same, each part its share, promises kept, nobody favoured."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from server.spotchecks.drawing import Drawn, HowToDraw, Line, commitment_of, digest_of, draw, frame_text
from server.spotchecks.terms import AlwaysIncluded, StratumBy, WhyDrawn

PLAN = UUID(int=77)
VILLAGES = ("341882003200", "341882003201", "341882003202")
PEOPLE = [UUID(int=number) for number in range(1, 6)]
GROUPS = ("", "", "", *AlwaysIncluded)
LINES = st.lists(
    st.builds(
        Line,
        visit_id=st.uuids(),
        village=st.sampled_from(VILLAGES),
        visitor=st.sampled_from(PEOPLE),
        category=st.sampled_from(["tekun_dispersed", "dibao_rural", "none"]),
        always=st.sampled_from(GROUPS),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda line: line.visit_id,
).map(lambda lines: sorted(lines, key=lambda line: line.visit_id))
HOW = st.builds(
    HowToDraw,
    plan_id=st.just(PLAN),
    period=st.just("2026-04"),
    strata=st.sets(st.sampled_from(list(StratumBy))).map(tuple),
    share=st.integers(1, 100),
    number=st.none() | st.integers(1, 5),
    every=st.sets(st.sampled_from([StratumBy.VISITOR, StratumBy.VILLAGE])).map(tuple),
)
SEEDS = st.binary(min_size=32, max_size=32)
PART = {
    StratumBy.VILLAGE: lambda line: line.village,
    StratumBy.VISITOR: lambda line: line.visitor,
    StratumBy.CATEGORY: lambda line: line.category,
}


def sample(seed: bytes, how: HowToDraw, lines: Sequence[Line]) -> list[Drawn]:
    return draw(seed, digest_of(frame_text(how, lines)), how, lines)


def stratum(how: HowToDraw, line: Line) -> tuple[object, ...]:
    return tuple(PART[by](line) for by in how.strata)


@given(SEEDS, HOW, LINES)
def test_the_same_seed_and_frame_give_the_same_sample(seed: bytes, how: HowToDraw, lines: list[Line]) -> None:
    assert sample(seed, how, lines) == sample(seed, how, list(lines))


@given(SEEDS, HOW, LINES)
def test_each_stratum_gives_its_share_of_what_is_not_always_included(
    seed: bytes, how: HowToDraw, lines: list[Line]
) -> None:
    drawn = sample(seed, how, lines)
    sizes = Counter(stratum(how, line) for line in lines if not line.always)
    given_by = Counter(stratum(how, one.line) for one in drawn if one.why is WhyDrawn.STRATUM)
    for name, size in sizes.items():
        wanted = min(how.number, size) if how.number is not None else -(-size * (how.share or 0) // 100)
        assert given_by[name] == wanted >= 1
    assert sum(given_by.values()) == sum(how.take(size) for size in sizes.values())


@given(SEEDS, HOW, LINES)
def test_what_is_always_included_is_all_there_and_promises_are_kept(
    seed: bytes, how: HowToDraw, lines: list[Line]
) -> None:
    drawn = sample(seed, how, lines)
    ids = [one.line.visit_id for one in drawn]
    assert len(ids) == len(set(ids))
    assert {one.line.visit_id for one in drawn if one.why is WhyDrawn.ALWAYS} == {
        line.visit_id for line in lines if line.always
    }
    for by in how.every:
        assert {PART[by](one.line) for one in drawn} == {PART[by](line) for line in lines}
    extra = [one for one in drawn if one.why in {WhyDrawn.EVERY_VISITOR, WhyDrawn.EVERY_VILLAGE}]
    assert len(extra) <= sum(len({PART[by](line) for line in lines}) for by in how.every)


@given(SEEDS, HOW, LINES)
def test_the_sample_comes_in_ascending_order_of_the_published_rank(
    seed: bytes, how: HowToDraw, lines: list[Line]
) -> None:
    digest = digest_of(frame_text(how, lines))
    ranks = [
        hashlib.sha256(seed + digest + one.line.visit_id.bytes).digest()
        for one in draw(seed, digest, how, lines)
    ]
    assert ranks == sorted(ranks)


@given(HOW, LINES, st.data())
def test_any_change_of_frame_or_rules_changes_the_digest(
    how: HowToDraw, lines: list[Line], data: st.DataObject
) -> None:
    digest = digest_of(frame_text(how, lines))
    number = data.draw(st.integers(0, len(lines) - 1))
    line = lines[number]
    other = data.draw(
        st.sampled_from(
            [
                line._replace(village="341882003299"),
                line._replace(visitor=UUID(int=99)),
                line._replace(category="orphan"),
                line._replace(revision=line.revision + 1),
                line._replace(always="death" if line.always != "death" else ""),
                line._replace(visit_id=UUID(int=line.visit_id.int ^ 1)),
            ]
        )
    )
    changed = [*lines[:number], other, *lines[number + 1 :]]
    assert digest_of(frame_text(how, changed)) != digest
    assert digest_of(frame_text(how, lines[:number] + lines[number + 1 :])) != digest
    for rules in (
        replace(how, plan_id=UUID(int=78)),
        replace(how, period="2026-05"),
        replace(how, number=(how.number or 0) + 1),
        replace(how, every=() if how.every else (StratumBy.VISITOR,)),
        replace(how, strata=() if how.strata else (StratumBy.VILLAGE,)),
    ):
        assert digest_of(frame_text(rules, lines)) != digest


def test_the_commitment_binds_seed_and_plan() -> None:
    seed = bytes(range(32))
    assert commitment_of(seed, PLAN).hex() == hashlib.sha256(seed + PLAN.bytes).hexdigest()
    assert commitment_of(seed, UUID(int=78)) != commitment_of(seed, PLAN)


def test_nobody_is_favoured() -> None:
    """Over many seeds each of forty visits is drawn about equally often: chi-square below its 0.999 quantile."""
    lines = [Line(UUID(int=number), VILLAGES[0], PEOPLE[0], "none") for number in range(40)]
    how = HowToDraw(PLAN, "2026-04", share=25)
    digest = digest_of(frame_text(how, lines))
    seeds = [hashlib.sha256(str(number).encode()).digest() for number in range(2000)]
    counts = Counter(one.line.visit_id for seed in seeds for one in draw(seed, digest, how, lines))
    expected = 2000 * 10 / 40
    assert set(counts) == {line.visit_id for line in lines}
    # Drawn without replacement: the sum is (1 - 1/4) of a chi-square with 39 degrees of freedom.
    assert sum((count - expected) ** 2 / expected for count in counts.values()) / 0.75 < 72.1


def test_pairs_are_not_bound_together_either() -> None:
    lines = [Line(UUID(int=number), VILLAGES[0], PEOPLE[0], "none") for number in range(10)]
    how = HowToDraw(PLAN, "2026-04", share=50)
    digest = digest_of(frame_text(how, lines))
    both = 0
    for number in range(2000):
        ids = {
            one.line.visit_id
            for one in draw(hashlib.sha256(str(number).encode()).digest(), digest, how, lines)
        }
        both += {UUID(int=0), UUID(int=1)} <= ids
    assert abs(both / 2000 - 2 / 9) < 0.04
