"""Who is overdue, by village, today and on any past day: counts as a chart and a table, and the people (逾期看板)."""

from collections.abc import Mapping
from typing import Any

from flask.typing import ResponseReturnValue

from api_schemas.worklists import OverdueQuery
from server.http.guard import work
from server.http.parts import parts
from server.people.homes_listing import homes_within
from server.people.terms import Category
from server.permissions import Can
from server.places.terms import Point
from server.regions.service import is_village
from server.vault.masks import mask_phone
from server.web import charts, maps, showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked
from server.web.places import villages_within
from server.worklists import overdue as board
from server.worklists.people import FINDERS
from server.worklists.terms import Filters

blueprint = feature("overdue")
ENTRY = Entry("逾期看板", "web_overdue.overdue", Can.SEE_OVERDUE, "今天和过去任何一天，各村谁逾期未走访")
COUNTS = {
    "due": "应访",
    "met": "按期",
    "met_late": "补报",
    "attempted_only": "仅尝试",
    "paused": "暂停",
    "overdue": "逾期",
    "missed": "错过",
}


MOST_HOMES = 400
"""Homes on the map of one village."""


@blueprint.get("/overdue")
@shows(Can.SEE_OVERDUE)
def overdue() -> ResponseReturnValue:
    """Show counts of every village, and the overdue people of those chosen, longest overdue first."""
    query = asked(OverdueQuery)
    limit, cursor = query.pop("limit"), query.pop("cursor")
    filters = Filters(**query)
    summary = board.summary(work(), category=filters.category, as_of=filters.as_of)
    people = board.overdue(work(), filters, limit=limit, cursor=cursor)
    may_reveal = work().actor.may(Can.REVEAL)
    return showing.page(
        "overdue.html",
        summary=summary,
        counts=COUNTS,
        chart=charts.bars([(row["village"]["name"], row["overdue"]) for row in summary["items"]]),
        drawing=_village_map(filters.village, people["items"]),
        rows=[_row(one) for one in people["items"]],
        next_cursor=people["next_cursor"],
        as_of=people["as_of"],
        known_at=people["known_at"],
        is_today=people["as_of"] == work().today,
        may_reveal=may_reveal,
        may_call=work().actor.may(Can.SEE_ACCOUNTS),
        villages=villages_within(work()),
        categories=list(Category),
        chosen=_chosen(query),
        category=filters.category,
    )


def _village_map(village: str | None, overdue_people: list[dict[str, Any]]) -> maps.Map | None:
    """Draw the homes of one village, those of the overdue people on this page with their names."""
    if village is None or not is_village(village) or work().actor.role not in FINDERS:
        return None
    names = {one["person"]["person_id"]: one["person"]["name"] for one in overdue_people}
    homes = homes_within(work(), village, MOST_HOMES)
    work().looked("overdue.map_read", "overdue", people=[home.id for home in homes])
    spots = [
        maps.Spot(
            "over" if home.id in names else "other",
            names.get(home.id, ""),
            Point(home.wgs_latitude, home.wgs_longitude),
        )
        for home in homes
    ]
    return maps.drawn(sorted(spots, key=lambda spot: spot.kind), parts().settings.map_tiles_url)


def _row(one: dict[str, Any]) -> dict[str, Any]:
    person = one["person"]
    phone = person["phone"]
    return one | {"phone": mask_phone(phone) if phone and "*" not in phone else phone}


def _chosen(query: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what was asked for, for the links to other pages of it."""
    kept = {name: value for name, value in query.items() if value is not None}
    if kept.get("category") is Category.TEKUN_DISPERSED:
        del kept["category"]
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else str(value) for name, value in kept.items()
    }
