"""Gathers the vocabularies of all features: what is sent and stored as an English word, and how people read it."""

import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from server import permissions
from server.accounts import terms as accounts
from server.archives import terms as archives
from server.auditing import terms as auditing
from server.evidence import terms as evidence
from server.people import terms as people
from server.people.roster import terms as roster
from server.photos import terms as photos
from server.places import terms as places
from server.policies import terms as policies
from server.problems import terms as problems
from server.regions import terms as regions
from server.reviews import terms as reviews
from server.schedule import terms as schedule
from server.spotchecks import terms as spotchecks
from server.terms import Term
from server.visits import answer_terms, answers
from server.visits import terms as visits
from server.visits.answers import QUESTIONS, Question

MODULES: tuple[ModuleType, ...] = (
    permissions,
    accounts,
    regions,
    people,
    roster,
    places,
    photos,
    schedule,
    policies,
    problems,
    evidence,
    visits,
    answers,
    answer_terms,
    reviews,
    archives,
    auditing,
    spotchecks,
)
"""Where vocabularies are defined; a feature with words of its own adds its module here."""


OUR_OWN = "本系统"
"""The source of a word that no document gives: it was chosen here."""


def vocabularies() -> Iterator[type[Term]]:
    """Walk every vocabulary, feature by feature, in the order of its definition."""
    for module in MODULES:
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Term) and found.__module__ == module.__name__:
                yield found


def name_of(vocabulary: type[Term]) -> str:
    """Give the lower_snake name by which questions and clients refer to a vocabulary."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", vocabulary.__name__).lower()


@cache
def glossary() -> dict[str, Any]:
    """Give everything that `GET /terms` answers; it changes only with the program."""
    return {
        "vocabularies": [
            {
                "name": name_of(vocabulary),
                "terms": [
                    {"value": member.value, "label": member.label, "source": member.source or OUR_OWN}
                    for member in vocabulary
                ],
            }
            for vocabulary in vocabularies()
        ],
        "questions": [_question(question) for question in QUESTIONS.values()],
    }


def _question(question: Question) -> dict[str, Any]:
    bounded = question.least != question.most
    return {
        "name": question.name,
        "label": question.label,
        "section": question.section.value,
        "kind": question.kind.value,
        "vocabulary": name_of(question.vocabulary) if question.vocabulary else None,
        "required_when": question.asked.value,
        "least": question.least if bounded else None,
        "most": question.most if bounded else None,
        "source": question.source,
    }
