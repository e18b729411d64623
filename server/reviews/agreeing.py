"""How often second looks agreed, by month and for an area as a whole; never by worker."""

from hashlib import sha256
from typing import Any

from sqlalchemy import func, select

from server.ledger.work import Work
from server.people.models import Person
from server.people.sight import visible_to
from server.reviews.models import BlindReview, BlindSeed
from server.reviews.rules import agreement

MONTHS = 24


def agreement_by_month(work: Work) -> dict[str, Any]:
    """Count what was drawn, looked at and agreed on, the latest month first, at most two years.

    With the month's seed, shown when the month is over, anybody can draw anew; its digest is shown from the start.
    """
    seeds = work.session.execute(
        select(BlindSeed.month, BlindSeed.seed).order_by(BlindSeed.month.desc()).limit(MONTHS)
    ).all()
    months = [one.month for one in seeds]
    counted = {
        row.month: row
        for row in work.session.execute(
            select(
                BlindReview.month,
                func.count().label("drawn"),
                func.count(BlindReview.agreed).label("looked_at"),
                func.count().filter(BlindReview.agreed.is_(True)).label("agreed"),
            )
            .join(Person, Person.id == BlindReview.person_id)
            .where(BlindReview.month.in_(months), visible_to(work.signed_in))
            .group_by(BlindReview.month)
        )
    }
    this_month = f"{work.today:%Y-%m}"
    work.looked("reviews.agreement_read", "reviews")
    return {
        "items": [
            _month(one.month, one.seed, counted.get(one.month), is_over=one.month < this_month)
            for one in seeds
        ],
        "next_cursor": None,
    }


def _month(month: str, seed: bytes, row: Any, *, is_over: bool) -> dict[str, Any]:
    drawn, looked_at, agreed = (row.drawn, row.looked_at, row.agreed) if row else (0, 0, 0)
    return {
        "month": month,
        "drawn": drawn,
        "looked_at": looked_at,
        "agreed": agreed,
        "disagreed": looked_at - agreed,
        "rate": agreement(agreed, looked_at),
        "seed_sha256": sha256(seed).hexdigest(),
        "seed": seed.hex() if is_over else None,
    }
