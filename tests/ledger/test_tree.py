"""Roots and proofs are RFC 6962's, whatever is kept of the tree; compared with the RFC's own words, and its vectors."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.db import unit_of_work
from server.ledger import sealer, tree
from server.ledger.checkpoints import tree_of
from server.ledger.models import Node
from server.ledger.tree import EMPTY, STEP, Tree, folded, leaf_hash, node_hash
from tests.builders.world import World

RFC_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
RFC_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Leaves and roots of the reference tests of certificate-transparency."""


def by_the_book(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while 2 * left < len(leaves):
        left *= 2
    return node_hash(by_the_book(leaves[:left]), by_the_book(leaves[left:]))


def stored(leaves: Sequence[bytes]) -> Tree:
    """Keep what the sealer keeps: leaves, and every eighth level."""
    levels = {0: list(leaves)}
    while len(levels[max(levels)]) >= tree.WIDTH:
        below = levels[max(levels)]
        whole = len(below) // tree.WIDTH
        levels[max(levels) + STEP] = [
            folded(below[one * tree.WIDTH : (one + 1) * tree.WIDTH]) for one in range(whole)
        ]
    return Tree(lambda level, first, count: levels.get(level, [])[first : first + count])


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2: the root that a proof leads to."""
    place, last, found = index, size - 1, leaf
    for one in proof:
        assert last > 0
        if place % 2 or place == last:
            found = node_hash(one, found)
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, one)
        place, last = place >> 1, last >> 1
    assert last == 0
    return found


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


@pytest.mark.parametrize("size", sorted(RFC_ROOTS))
def test_the_roots_are_those_of_the_reference(size: int) -> None:
    assert stored([leaf_hash(leaf) for leaf in RFC_LEAVES[:size]]).root(size).hex() == RFC_ROOTS[size]


def test_the_empty_tree_has_its_root() -> None:
    assert stored([]).root(0) == EMPTY == by_the_book([])


@given(st.integers(1, 700), st.data())
def test_every_root_of_every_size_is_the_rfcs(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    size = data.draw(st.integers(0, count))
    assert stored(leaves).root(size) == by_the_book(leaves[:size])


@given(st.integers(1, 700), st.data())
def test_a_proof_leads_from_its_leaf_to_the_root_and_no_other_leaf_does(
    count: int, data: st.DataObject
) -> None:
    leaves = leaves_of(count)
    size = data.draw(st.integers(1, count))
    index = data.draw(st.integers(0, size - 1))
    proof = stored(leaves).inclusion(index, size)
    assert included(leaves[index], index, size, proof) == by_the_book(leaves[:size])
    assert included(leaf_hash(b"another"), index, size, proof) != by_the_book(leaves[:size])


def proof_by_the_book(old: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if whole else [by_the_book(leaves)]
    left = 1
    while 2 * left < len(leaves):
        left *= 2
    if old <= left:
        return [*proof_by_the_book(old, leaves[:left], whole=whole), by_the_book(leaves[left:])]
    return [*proof_by_the_book(old - left, leaves[left:], whole=False), by_the_book(leaves[:left])]


@given(st.integers(1, 700), st.data())
def test_consistency_is_proved_as_the_rfc_says(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    new = data.draw(st.integers(1, count))
    old = data.draw(st.integers(1, new))
    assert stored(leaves).consistency(old, new) == proof_by_the_book(old, leaves[:new], whole=True)


@given(st.integers(0, 700), st.data())
def test_complete_subtrees_put_side_by_side_give_the_root(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    middle = data.draw(st.integers(0, count))
    there = stored(leaves)
    peaks: list[tuple[int, bytes]] = []
    for peak in [*there.complete(0, middle), *there.complete(middle, count)]:
        level, found = peak
        while peaks and peaks[-1][0] == level:
            level, found = level + 1, node_hash(peaks.pop()[1], found)
        peaks.append((level, found))
    root = EMPTY
    for place, (_, left) in enumerate(reversed(peaks)):
        root = left if place == 0 else node_hash(left, root)
    assert root == by_the_book(leaves)


def test_a_proof_that_cannot_be_is_refused() -> None:
    there = stored(leaves_of(3))
    for wrong in (
        lambda: there.inclusion(3, 3),
        lambda: there.consistency(0, 3),
        lambda: there.consistency(4, 3),
    ):
        with pytest.raises(ValueError, match="tree"):
            wrong()


def test_the_sealer_keeps_the_nodes_and_makes_up_for_those_that_are_missing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer, "TILES_AT_ONCE", 1)
    for batch in range(3):
        with world.work() as work:
            for line in range(300):
                work.tell(f"told.{batch}", "test", payload={"line": line})
        with unit_of_work(world.house.sessions) as session:
            sealer.seal(session)
    with unit_of_work(world.house.sessions) as session:
        size = sealer.watermark(session)
        assert size >= 900
        nodes = [(one.level, one.place) for one in session.query(Node).order_by(Node.place)]
        assert nodes == [(8, place) for place in range(size >> 8)]
        leaves = sealer.kept(session, 0, 0, size)
        assert len(leaves) == size
        there = tree_of(session)
        for one in (1, 255, 256, 257, 600, size):
            assert there.root(one) == by_the_book(leaves[:one])
        no_nodes = Tree(
            lambda level, first, count: sealer.kept(session, level, first, count) if level == 0 else []
        )
        assert no_nodes.root(size) == by_the_book(leaves)
