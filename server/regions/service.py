"""Regions: what lies where on a day, taken in from a code table, merged and renamed."""

import csv
import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.errors import Invalid, NotFound
from server.ledger.work import Work
from server.regions.models import Region
from server.regions.queries import in_force
from server.regions.terms import CODE_LENGTH, Level

TOWNSHIPS = {
    "341882001": "桐汭街道",
    "341882002": "祠山街道",
    "341882003": "升平街道",
    "341882100": "桃州镇",
    "341882101": "柏垫镇",
    "341882102": "誓节镇",
    "341882103": "邱村镇",
    "341882104": "新杭镇",
    "341882105": "杨滩镇",
    "341882200": "卢村乡",
    "341882201": "东亭乡",
    "341882202": "四合乡",
    "341882400": "广德经济开发区",
}
GUANGDE = Path(__file__).parent / "data" / "guangde_villages.csv"


def load_guangde(session: Session, *, valid_from: dt.date) -> int:
    """Take in Guangde's county, townships and villages (GB/T 2260; village codes as published for 2022)."""
    source = "GB/T 2260、统计用区划代码（china-division 2.7.0）"
    rows: list[dict[str, Any]] = [
        {"code": "341882", "name": "广德市", "level": Level.COUNTY, "parent_code": None},
        *(
            {"code": code, "name": name, "level": Level.TOWNSHIP, "parent_code": "341882"}
            for code, name in TOWNSHIPS.items()
        ),
    ]
    with GUANGDE.open(encoding="utf-8-sig", newline="") as file:
        rows += [
            {
                "code": line["code"],
                "name": short(line["name"]),
                "level": Level.VILLAGE,
                "parent_code": line["streetCode"],
            }
            for line in csv.DictReader(file)
        ]
    session.execute(insert(Region), [{**row, "valid_from": valid_from, "source": source} for row in rows])
    return len(rows)


def short(name: str) -> str:
    """Shorten a committee's name to the village's: 团山村村民委员会 and 团山村委会 → 团山村, 升平社区居委会 → 升平社区."""
    for ending, keeps in (("村民委员会", "村"), ("村委会", "村"), ("居民委员会", ""), ("居委会", "")):
        if name.endswith(ending) and len(name) > len(ending):
            stem = name.removesuffix(ending)
            return stem if stem.endswith(keeps) else stem + keeps
    return name


def rename(work: Work, code: str, name: str, *, on: dt.date) -> Region:
    """Give a region another name from a day on; its earlier name stays in its history. A repeat is harmless."""
    old = region_on(work.session, code, on)
    if old.valid_from == on and old.name == name.strip():
        return old
    if not name.strip() or old.valid_from >= on:
        raise Invalid(errors={"name": ["请填写新名称，且生效日期须晚于现名称的启用日期。"]})
    new = Region(
        code=code,
        valid_from=on,
        valid_to=old.valid_to,
        name=name.strip(),
        level=old.level,
        parent_code=old.parent_code,
        successor_code=old.successor_code,
        source="更名",
    )
    old.valid_to = on - dt.timedelta(days=1)
    old.successor_code = None
    work.session.add(new)
    work.session.flush()
    work.tell("region.renamed", "region", payload={"code": code, "from": old.name, "to": new.name, "on": on})
    return new


def merge(work: Work, codes: Iterable[str], into: str, *, on: dt.date) -> int:
    """End regions on a day and name the one of the same level that they were merged into; returns how many ended.

    A region that still holds others is refused: those are merged first. A repeat ends nothing more.
    """
    target = region_on(work.session, into, on)
    ended = 0
    for code in sorted(set(codes) - {into}):
        old = _ended(work.session, code, into, on)
        if old is not None:
            continue
        old = region_on(work.session, code, on)
        holds = select(Region.code).where(Region.parent_code == code, in_force(on)).limit(1)
        if old.level is not target.level or work.session.scalar(holds) is not None:
            raise Invalid(errors={"codes": ["只能合并同级区划，且所辖区划须先行合并。"]})
        if old.valid_from >= on or old.valid_to is not None:
            raise Invalid(errors={"on": ["合并日期须晚于该区划的启用日期，且其后不能已有变更。"]})
        old.valid_to = on - dt.timedelta(days=1)
        old.successor_code = into
        ended += 1
        work.tell("region.merged", "region", payload={"code": code, "into": into, "on": on})
    work.session.flush()
    return ended


def _ended(session: Session, code: str, into: str, on: dt.date) -> Region | None:
    return session.scalars(
        select(Region).where(
            Region.code == code,
            Region.successor_code == into,
            Region.valid_to == on - dt.timedelta(days=1),
        )
    ).first()


def region_on(session: Session, code: str, day: dt.date) -> Region:
    """Find the region that bears a code on a day, or refuse."""
    found = session.scalars(select(Region).where(Region.code == code, in_force(day))).first()
    if found is None:
        raise NotFound("没有这个行政区划代码，或当日已撤销。")
    return found


def refuse_area(work: Work, code: str) -> None:
    """Refuse an area that does not exist today or that the role of who acts does not reach (commands reach all)."""
    reach = work.signed_in.area_code if work.signed_in else ""
    there = select(Region.code).where(Region.code == code, in_force(work.today)).limit(1)
    if not code.startswith(reach) or work.session.scalar(there) is None:
        raise Invalid(errors={"area_code": ["没有这个地区，或不在您的辖区。"]})


def names(session: Session, codes: Iterable[str], day: dt.date | None = None) -> Mapping[str, str]:
    """Give the name of each code on a day (None: the newest known); a region that ended keeps its last name."""
    wanted = select(Region.code, Region.name).where(Region.code.in_(sorted(set(codes))))
    if day is not None:
        wanted = wanted.where(Region.valid_from <= day)
    rows = session.execute(wanted.order_by(Region.code, Region.valid_from))
    return {code: name for code, name in rows}  # noqa: C416  (the last name of a code wins)


def is_village(code: str) -> bool:
    """Say whether a code has the length of a village's."""
    return len(code) == CODE_LENGTH[Level.VILLAGE]
