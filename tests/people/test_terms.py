"""The vocabularies about people: every word is on the wire in lower_snake and has a Chinese label."""

import re

import pytest

from server.people import terms
from server.terms import Term

VOCABULARIES = [
    kind
    for kind in vars(terms).values()
    if isinstance(kind, type) and issubclass(kind, Term) and kind is not Term
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda kind: kind.__name__)
def test_every_word_has_a_wire_value_and_a_chinese_label(vocabulary: type[Term]):
    assert list(vocabulary)
    for word in vocabulary:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", word.value)
        assert re.search(r"[\u4e00-\u9fff]", word.label)
    assert len({word.label for word in vocabulary}) == len(list(vocabulary))


def test_the_categories_of_the_domain_are_all_there():
    assert [category.value for category in terms.Category] == [
        "dibao_urban", "dibao_rural", "tekun_dispersed", "tekun_central", "margin", "rigid", "temp", "orphan",
        "unsupported_child", "anti_return", "other",
    ]  # fmt: skip
