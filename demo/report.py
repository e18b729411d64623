"""Prints who is overdue and how the villages stand, as the chief reads it through the API."""

import datetime as dt
import unicodedata
from collections.abc import Sequence

from demo.phone import Phone
from server.problems.terms import ProblemState, Severity
from server.spotchecks.terms import SpotCheckPlanState

COUNTS = {
    "due": "应访",
    "met": "已访",
    "met_late": "补报",
    "attempted_only": "仅尝试",
    "overdue": "逾期",
    "missed": "错过",
    "paused": "暂停",
}
STATES = {state.value: state.label for state in SpotCheckPlanState}
RESULTS = {"pass": "属实", "minor": "一般问题", "major": "严重问题", "needs_inquiry": "调查中"}
SEVERITIES = {one.value: one.label for one in Severity}
PROBLEM_STATES = {one.value: one.label for one in ProblemState}
MOST = 100


def print_report(chief: Phone, first_month: dt.date) -> None:
    """Print today's overdue list, and the village summaries of the first month and of today."""
    overdue = chief.get("/overdue", limit=MOST)
    print(f"\n逾期未走访的分散供养特困人员 overdue on {overdue['as_of']}：{len(overdue['items'])} 人")
    if overdue["items"]:
        _print_table(
            ("档案编号", "姓名", "村（社区）", "责任人", "应访日期", "逾期天数", "未遇次数", "上次见到"),
            [
                (
                    item["person"]["file_no"],
                    item["person"]["name"],
                    item["person"]["village"]["name"],
                    (item["responsible"] or {}).get("name", "-"),
                    item["due_on"],
                    str(item["days_overdue"]),
                    str(item["attempts"]),
                    item["last_met_on"] or "-",
                )
                for item in overdue["items"]
            ],
        )
    last_day = (first_month.replace(day=28) + dt.timedelta(days=10)).replace(day=1) - dt.timedelta(days=1)
    _print_summary(chief, {"as_of": last_day.isoformat()})
    _print_summary(chief, {})
    _print_spot_checks(chief)
    _print_reviews(chief)
    print(flush=True)


def _print_reviews(chief: Phone) -> None:
    """Print how often second looks agreed, and what there is still to put right."""
    for month in chief.get("/reviews/agreement")["items"]:
        rate = "-" if month["rate"] is None else f"{month['rate']:.0%}"
        print(
            f"\n{month['month']} 盲审复核 blind second looks：抽到 {month['drawn']}，已复核 {month['looked_at']}，一致 {rate}"
        )
    items = chief.get("/problems", limit=MOST)["items"]
    print(f"\n未了结的问题 problems to see to：{len(items)} 个")
    if items:
        _print_table(
            ("姓名", "村（社区）", "问题", "程度", "状态", "责任人", "期限", "逾期天数"),
            [
                (
                    one["person"]["name"],
                    one["village"]["name"] or "-",
                    one["title"] or one["code"],
                    SEVERITIES[one["severity"]],
                    PROBLEM_STATES[one["state"]],
                    (one["owner"] or {}).get("name", "-"),
                    one["due_on"],
                    str(one["days_overdue"]),
                )
                for one in items
            ],
        )


def _print_spot_checks(chief: Phone) -> None:
    """Print what came of each plan, and how a stranger draws its sample again."""
    for plan in chief.get("/spot-checks/plans")["items"]:
        print(
            f"\n{plan['period']} 抽查 spot check：{STATES[plan['state']]}，名单 {plan['frame_size'] or 0} 次",
            end="",
        )
        if plan["state"] != "drawn":
            print()
            continue
        summed = chief.get(f"/spot-checks/plans/{plan['id']}/summary")
        results = {name: summed["by_chance"][name] + summed["always_included"][name] for name in RESULTS}
        told = "，".join(f"{label} {results[name]}" for name, label in RESULTS.items())
        print(f"，抽取 {plan['drawn_count']} 次：{told}；整改已销号 {summed['rectifications']['closed']} 件")
        print(f"  重新抽取核对：flask --app wsgi spot-checks export {plan['id']} DIR")
        print("  python3 docs/redraw.py DIR/proof.json DIR/frame.csv")


def _print_summary(chief: Phone, asked: dict[str, str]) -> None:
    summary = chief.get("/overdue/summary", by="village", **asked)
    print(f"\n各村（社区）走访情况 villages, month to {summary['as_of']}")
    rows = [(one["village"]["name"], *(str(one[name]) for name in COUNTS)) for one in summary["items"]]
    rows.append(("合计", *(str(summary["total"][name]) for name in COUNTS)))
    _print_table(("村（社区）", *COUNTS.values()), rows)


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(_width(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join(cells).rstrip())


def _width(text: str) -> int:
    """Count the columns that a text takes on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
