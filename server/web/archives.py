"""Finding files, and one person's file: who they are, what is owed, what happened, photos, problems, who looked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from api_schemas.archives import ArchivesQuery
from api_schemas.paging import PageQuery
from server.archives import service
from server.archives.terms import RevealField, Wanted
from server.errors import Refusal
from server.http.guard import work
from server.http.parts import parts
from server.people.terms import Category
from server.permissions import Can
from server.places.datums import place_of
from server.places.terms import Fix
from server.web import maps, showing
from server.web.door import shows
from server.web.features import Entry, feature
from server.web.forms import asked, sent
from server.web.happened import told
from server.web.places import villages_within

blueprint = feature("archives")
ENTRY = Entry(
    "档案", "web_archives.search", Can.SEE_ARCHIVES, "按姓名、编号查找一人一档，查看经过、任务、照片、问题"
)
MOST_EVENTS = 15
"""Lines of the timeline on the page of a file; the others have a page of their own."""
MOST_PHOTOS = 12


@blueprint.get("/archives")
@shows(Can.SEE_ARCHIVES)
def search(refusal: Refusal | None = None, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """Ask whose file is wanted; nobody's is looked at before."""
    return _searched(None, refusal, typed or {})


@blueprint.post("/archives")
@shows(Can.SEE_ARCHIVES, again=search)
def found() -> ResponseReturnValue:
    """List the files that fit. What was searched for stands in no address."""
    query = sent(ArchivesQuery)
    limit, cursor = query.pop("limit"), query.pop("cursor")
    return _searched(
        service.search(work(), Wanted(**query), limit=limit, cursor=cursor),
        None,
        {name: str(value) for name, value in query.items() if value is not None},
    )


def _searched(
    files: Mapping[str, Any] | None, refusal: Refusal | None, typed: Mapping[str, str]
) -> ResponseReturnValue:
    return showing.page(
        "archives.html",
        files=files,
        refusal=refusal,
        typed=typed,
        villages=villages_within(work()),
        categories=list(Category),
    )


@blueprint.get("/archives/<uuid:person_id>")
@shows(Can.SEE_ARCHIVES)
def file(person_id: UUID) -> ResponseReturnValue:
    """Show a person's whole file."""
    found = service.read_file(work(), person_id)
    timeline = service.read_timeline(work(), person_id, limit=MOST_EVENTS, cursor=None)
    return showing.page(
        "archive.html",
        file=found,
        person=found["person"],
        person_id=person_id,
        events=[told(one) for one in timeline["items"]],
        has_more=timeline["next_cursor"] is not None,
        reveals=_reveals(found),
        fields=RevealField,
        drawing=_homes(found["homes"]),
        most_photos=MOST_PHOTOS,
        sees_looks=work().actor.may(Can.SEE_LOOKS),
    )


@blueprint.get("/archives/<uuid:person_id>/timeline")
@shows(Can.SEE_ARCHIVES)
def timeline(person_id: UUID) -> ResponseReturnValue:
    """Show what happened, page by page, the newest first."""
    read = service.read_timeline(work(), person_id, **asked(PageQuery))
    return showing.page(
        "timeline.html",
        person_id=person_id,
        events=[told(one) for one in read["items"]],
        next_cursor=read["next_cursor"],
    )


def _reveals(file: Mapping[str, Any]) -> list[RevealField]:
    """Choose what a reader of this role may ask to see whole, and is on file."""
    actor, person = work().actor, file["person"]
    if not actor.may(Can.REVEAL):
        return []
    there = {
        RevealField.ID_NUMBER: person["id_number_masked"],
        RevealField.BANK_ACCOUNT: person["bank_account_masked"],
        RevealField.HEALTH: file["has_health_remark"],
    }
    return [field for field, is_there in there.items() if is_there]


def _homes(homes: list[dict[str, Any]]) -> maps.Map | None:
    spots = [
        maps.Spot(
            "home" if one["superseded_at"] is None else "before",
            "住处" if one["superseded_at"] is None else "以前的位置",
            place_of(Fix(one["latitude"], one["longitude"], one["datum"], one["accuracy_m"])),
            one["accuracy_m"],
        )
        for one in sorted(homes, key=lambda one: one["superseded_at"] is not None)
    ]
    return maps.drawn(spots, parts().settings.map_tiles_url)
