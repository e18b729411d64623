"""`GET /terms` gives every word and every question, to anybody, and costs nothing the second time."""

import importlib
import pkgutil
import re

from flask import Flask

import server
from server.terms import Term
from server.visits.answers import QUESTIONS
from server.words.glossary import glossary, name_of, vocabularies


def every_term(kind: type[Term] = Term) -> set[type[Term]]:
    """Walk every vocabulary that any module of the server defines."""
    below = set(kind.__subclasses__())
    return below.union(*(every_term(one) for one in below))


def test_no_vocabulary_is_missing() -> None:
    for module in pkgutil.walk_packages(server.__path__, "server."):
        if re.search(r"\.(terms|\w+_terms|answers|permissions|words)$", module.name):
            importlib.import_module(module.name)
    ours = {one for one in every_term() if one.__module__.startswith("server.")}
    ours -= {
        one for one in ours if one.__module__ == "server.doctor.terms"
    }  # spoken to an administrator only
    missing = ours - set(vocabularies())
    assert {f"{one.__module__}.{one.__name__}" for one in missing} == set(), (
        "add its module to words/glossary.py"
    )


def test_names_of_vocabularies_are_unique() -> None:
    names = [name_of(one) for one in vocabularies()]
    assert len(names) == len(set(names))


def test_every_word_has_a_label_and_a_source_and_almost_every_label_is_chinese() -> None:
    for vocabulary in glossary()["vocabularies"]:
        for term in vocabulary["terms"]:
            assert term["source"], (vocabulary["name"], term)
            known = vocabulary["name"] == "photo_format"  # JPEG is called JPEG
            assert known or re.search("[\u4e00-\u9fff]", term["label"]), (vocabulary["name"], term)


def test_anybody_may_ask_and_questions_name_their_vocabulary(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/terms")
    assert answer.status_code == 200
    words = {one["name"]: {term["value"] for term in one["terms"]} for one in answer.json["vocabularies"]}
    assert {"met", "not_met", "dead"} <= words["outcome"]
    assert {"visitor", "chief", "auditor"} <= words["role"]
    assert [one["name"] for one in answer.json["questions"]] == list(QUESTIONS)
    for question in answer.json["questions"]:
        assert (question["vocabulary"] in words) is (question["kind"] in {"word", "words"})
        assert question["section"] in words["section"]


def test_a_phone_that_has_the_words_is_told_so(app: Flask) -> None:
    client = app.test_client()
    first = client.get("/api/v1/terms")
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    again = client.get("/api/v1/terms", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/api/v1/terms", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.json) == (200, first.json)
