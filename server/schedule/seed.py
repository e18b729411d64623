"""The visit rules that a county starts with, before it confirms its own (DOMAIN §1.4).

None is confirmed: the local texts could not be seen. Visits in person are therefore required nowhere yet, and the
number of visits is the floor that is written somewhere, not what good care suggests.
"""

from datetime import date

from server.people.terms import CareLevel, Category, Tag
from server.schedule.terms import PeriodUnit, VisitRule

ANHUI_2022 = "皖民社救函〔2022〕80号：分散供养特困人员每月至少探视1次"
PROPOSED = "DOMAIN §1.4 建议值，待县级民政部门确认"
REVIEW = "民发〔2021〕57号：收入变化不大的家庭每年核查1次"
LADDER = "DOMAIN §1.4 V3 分级探访（外省做法），待确认"

FROM = date(2022, 1, 1)
CUTOFF_DAY = 20
EMERGENCY_HOURS = 24


def _rule(
    key: str,
    unit: PeriodUnit,
    alert_days: tuple[int, ...],
    source: str,
    *,
    category: Category | None = None,
    care_level: CareLevel | None = None,
    tag: Tag | None = None,
    head_only: bool = False,
) -> VisitRule:
    return VisitRule(
        key=key,
        category=category,
        care_level=care_level,
        tag=tag,
        unit=unit,
        required=1,
        in_person=0,
        alert_days=alert_days,
        cutoff_day=CUTOFF_DAY,
        effective_from=FROM,
        applies_to_head_only=head_only,
        source=source,
    )


_DISPERSED = Category.TEKUN_DISPERSED

# "Alert at day 20 and 25" of a month is 10 and 5 days before a due date on the 30th.
SEED_RULES: tuple[VisitRule, ...] = (
    # Who is not assessed yet is owed the month all the same.
    _rule("tekun_dispersed", PeriodUnit.MONTH, (10, 5), ANHUI_2022, category=_DISPERSED),
    _rule(
        "tekun_dispersed_full_self",
        PeriodUnit.MONTH,
        (10, 5),
        ANHUI_2022,
        category=_DISPERSED,
        care_level=CareLevel.FULL_SELF,
    ),
    _rule(
        "tekun_dispersed_half_care",
        PeriodUnit.MONTH,
        (20, 10),
        ANHUI_2022,
        category=_DISPERSED,
        care_level=CareLevel.HALF_CARE,
    ),
    _rule(
        "tekun_dispersed_full_care",
        PeriodUnit.MONTH,
        (23, 16, 9, 2),
        ANHUI_2022,
        category=_DISPERSED,
        care_level=CareLevel.FULL_CARE,
    ),
    _rule("tekun_central", PeriodUnit.QUARTER, (30,), PROPOSED, category=Category.TEKUN_CENTRAL),
    _rule(
        "dibao_urban_review", PeriodUnit.YEAR, (30,), REVIEW, category=Category.DIBAO_URBAN, head_only=True
    ),
    _rule(
        "dibao_rural_review", PeriodUnit.YEAR, (30,), REVIEW, category=Category.DIBAO_RURAL, head_only=True
    ),
    _rule("margin_review", PeriodUnit.YEAR, (30,), REVIEW, category=Category.MARGIN, head_only=True),
    _rule("rigid_review", PeriodUnit.YEAR, (30,), REVIEW, category=Category.RIGID, head_only=True),
    _rule("high_risk_elder", PeriodUnit.ISO_WEEK, (2,), LADDER, tag=Tag.HIGH_RISK_ELDER),
    _rule("key_object", PeriodUnit.MONTH, (10, 5), LADDER, tag=Tag.KEY_OBJECT),
    _rule("general", PeriodUnit.QUARTER, (30,), LADDER),
)
