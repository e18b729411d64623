"""Which accepted records are drawn for a second look: reproducible, close to the share, and nobody's choice."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from server.reviews.rules import SEED_BYTES, agreement, is_drawn

SPACE = UUID("0c6d3a1e-94a7-4b7e-8a35-7d1b52f0c9aa")
seeds = st.binary(min_size=SEED_BYTES, max_size=SEED_BYTES)


@given(seeds, st.uuids(), st.integers(0, 100))
def test_the_same_seed_draws_the_same(seed: bytes, visit: UUID, percent: int) -> None:
    assert is_drawn(seed, visit, percent) is is_drawn(seed, visit, percent)


@given(seeds, st.uuids(), st.integers(0, 99))
def test_a_greater_share_draws_what_a_smaller_one_drew_and_more(
    seed: bytes, visit: UUID, percent: int
) -> None:
    assert is_drawn(seed, visit, percent + 1) >= is_drawn(seed, visit, percent)
    assert is_drawn(seed, visit, 100)
    assert not is_drawn(seed, visit, 0)


@given(seeds)
def test_about_the_share_is_drawn_whatever_the_seed(seed: bytes) -> None:
    drawn = sum(is_drawn(seed, uuid5(SPACE, str(number)), 5) for number in range(4000))
    assert 120 < drawn < 290  # 200 ± 6 standard deviations


def test_another_seed_draws_others() -> None:
    visits = [uuid5(SPACE, str(number)) for number in range(2000)]
    one, other = ({visit for visit in visits if is_drawn(bytes([n]) * 32, visit, 5)} for n in (1, 2))
    assert one
    assert other
    assert len(one & other) < len(one) / 2


def test_a_rate_of_nothing_is_unknown_not_zero() -> None:
    assert agreement(0, 0) is None
    assert agreement(0, 4) == 0.0
    assert agreement(3, 4) == 0.75
