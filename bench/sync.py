"""The first sync of phones with 300 people each, a hundred phones at once, over a store of 90,000 visits."""

from dataclasses import replace

from bench import measuring
from bench.measuring import Figure, Plan
from bench.store import Size, serving, store

PHONES = 100
STORE = Size(people=30_000, visits_each=3, months=12, people_each=300)
AT_ONCE_S = 0.5
"""All begin within this time, once each; the figures' milliseconds are those of a whole first sync, all its pages."""


def first_sync(plan: Plan) -> list[Figure]:
    """Let a hundred phones fetch everything that is theirs at the same moment."""
    with store(STORE, plan.keep) as kept, serving(kept, plan.shape) as server:
        job = {"deed": "sync", "tokens": [token for _, token in kept.phones[:PHONES]]}
        short = replace(plan, clients=(1, PHONES), seconds=AT_ONCE_S)
        return measuring.measure(server, short, "first sync of 300 people", job)
