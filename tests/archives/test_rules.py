"""What a search box's text means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.archives.rules import end_of_prefix, understood


@pytest.mark.parametrize(
    ("query", "kind", "text"),
    [
        ("王", "name", "王"),
        (" 王小明 ", "name", "王小明"),
        ("买买提·艾力", "name", "买买提·艾力"),
        ("%", "name", "%"),
        ("王_", "name", "王_"),
        ("zm", "initials", "ZM"),
        ("ＺＭ", "initials", "ZM"),
        ("341882003-tk-2026", "file_no", "341882003-TK-2026"),
        ("341882003", "file_no", "341882003"),
        ("123x", "last_four", "123X"),
        ("１２３４", "last_four", "1234"),
        ("99999919500101001X", "id_number", "99999919500101001X"),
        ("999999 19500101 001x", "id_number", "99999919500101001X"),
        ("999999500101001", "id_number", "999999500101001"),
    ],
)
def test_one_box_understands_what_is_typed(query: str, kind: str, text: str) -> None:
    search = understood(query)
    assert search is not None
    assert (search.kind, search.text) == (kind, text)


@pytest.mark.parametrize("query", ["", "  ", "\u3000"])
def test_blank_asks_for_nothing(query: str) -> None:
    assert understood(query) is None


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=6)


@given(texts, texts)
def test_the_end_of_a_prefix_bounds_exactly_what_begins_with_it(prefix: str, other: str) -> None:
    end = end_of_prefix(prefix)
    for text in (other, prefix, prefix + other):
        assert text.startswith(prefix) == (text >= prefix and (end is None or text < end))


@given(st.text(max_size=10_000))
def test_nothing_that_is_typed_breaks_it(query: str) -> None:
    understood(query)
