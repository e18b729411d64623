"""The sieve finds exactly the hashes that pair by pair would be found."""

from hypothesis import given
from hypothesis import strategies as st

from server.photos.sieve import AT_ONCE, near

HASHES = st.integers(0, 2**64 - 1)


@st.composite
def asked_and_kept(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Draw hashes, many of them a few bits away from one that is asked for."""
    asked = draw(st.lists(HASHES, min_size=1, max_size=5))
    close = st.builds(
        lambda one, flips: one ^ sum({1 << bit for bit in flips}),
        st.sampled_from(asked),
        st.lists(st.integers(0, 63), max_size=20),
    )
    return asked, draw(st.lists(HASHES | close | st.sampled_from([0, 2**64 - 1]), max_size=30))


def pair_by_pair(asked: list[int], kept: list[int], most: int) -> list[int]:
    return [
        place for place, one in enumerate(kept) if min((one ^ other).bit_count() for other in asked) <= most
    ]


@given(asked_and_kept(), st.integers(0, 63))
def test_it_finds_what_pair_by_pair_is_found(hashes: tuple[list[int], list[int]], most: int) -> None:
    asked, kept = hashes
    assert near(asked, kept, most) == pair_by_pair(asked, kept, most)


def test_thousands_are_counted_in_parts_and_none_is_left_out() -> None:
    kept = [7 << place % 50 for place in range(2 * AT_ONCE + 3)]
    assert near([7], kept, 2) == pair_by_pair([7], kept, 2)
    assert near([7], [], 2) == []
