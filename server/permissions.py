"""Who may do what: permission as data, on one screen.

A role says what kind of deed; `area` and responsibility (server/people/sight.py) say to whom. Every view declares
the one `Can` that it needs, and a test walks the url map to see that none forgot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from server.terms import Term


class Role(Term):
    """What a worker is in this system (岗位)."""

    VISITOR = "visitor", "走访人员", "CONTRACT §1"
    REVIEWER = "reviewer", "审核人员", "CONTRACT §1"
    CHIEF = "chief", "民政负责人", "CONTRACT §1"
    COUNTY_INSPECTOR = "county_inspector", "县级督查", "CONTRACT §1"
    ADMINISTRATOR = "administrator", "系统管理员", "CONTRACT §1"
    AUDITOR = "auditor", "审计人员", "CONTRACT §1"


class Can(StrEnum):
    """One kind of deed."""

    ANYONE = "anyone"  # no sign-in needed
    SIGNED_IN = "signed_in"  # any role
    SEE_WORKLIST = "see_worklist"
    RECORD_VISITS = "record_visits"
    RECORD_FOR_OTHERS = "record_for_others"
    SEE_VISITS = "see_visits"
    SEE_PHOTOS = "see_photos"
    SEE_ORIGINALS = "see_originals"
    SEE_FINDINGS = "see_findings"
    DECIDE_ON_VISITS = "decide_on_visits"
    SEE_PROBLEMS = "see_problems"
    SEE_RESTRICTED = "see_restricted"  # suspected abuse
    HANDLE_PROBLEMS = "handle_problems"
    CHECK_PROBLEMS = "check_problems"  # closed by somebody else than the one who fixed it
    SEE_ARCHIVES = "see_archives"
    REVEAL = "reveal"
    SEE_OVERDUE = "see_overdue"
    EDIT_PEOPLE = "edit_people"
    IMPORT_ROSTER = "import_roster"
    HAND_OVER = "hand_over"
    DECLARE_EMERGENCY = "declare_emergency"
    SEE_REGIONS = "see_regions"
    SEE_ACCOUNTS = "see_accounts"
    EDIT_ACCOUNTS = "edit_accounts"
    SEE_SETTINGS = "see_settings"
    EDIT_SETTINGS = "edit_settings"
    READ_LEDGER = "read_ledger"
    SEE_LOOKS = "see_looks"
    READ_FEEDBACK = "read_feedback"
    SEE_SPOT_CHECKS = "see_spot_checks"
    PLAN_SPOT_CHECKS = "plan_spot_checks"
    CARRY_OUT_SPOT_CHECKS = "carry_out_spot_checks"
    JUDGE_SPOT_CHECKS = "judge_spot_checks"
    PROVE_DRAWS = "prove_draws"
    SEE_RECTIFICATIONS = "see_rectifications"
    EDIT_KINSHIPS = "edit_kinships"


_EVERY_ROLE = {Can.ANYONE, Can.SIGNED_IN}
_OWN_WORK = {
    Can.SEE_WORKLIST,
    Can.RECORD_VISITS,
    Can.SEE_VISITS,
    Can.SEE_PHOTOS,
    Can.SEE_PROBLEMS,
    Can.HANDLE_PROBLEMS,
    Can.SEE_REGIONS,
}
_CHECKER = {
    Can.SEE_SPOT_CHECKS,
    Can.CARRY_OUT_SPOT_CHECKS,
    Can.PROVE_DRAWS,
    Can.SEE_RECTIFICATIONS,
}
_HEAD_OF_CHECKS = {Can.PLAN_SPOT_CHECKS, Can.JUDGE_SPOT_CHECKS}
_TOWNSHIP = {
    Can.RECORD_VISITS,
    Can.RECORD_FOR_OTHERS,
    Can.SEE_VISITS,
    Can.SEE_PHOTOS,
    Can.SEE_ORIGINALS,
    Can.SEE_FINDINGS,
    Can.DECIDE_ON_VISITS,
    Can.SEE_PROBLEMS,
    Can.SEE_RESTRICTED,
    Can.HANDLE_PROBLEMS,
    Can.CHECK_PROBLEMS,
    Can.SEE_ARCHIVES,
    Can.REVEAL,
    Can.SEE_OVERDUE,
    Can.SEE_REGIONS,
    Can.SEE_ACCOUNTS,
    Can.SEE_SETTINGS,
    Can.SEE_LOOKS,
}
_CHIEF = {Can.EDIT_PEOPLE, Can.IMPORT_ROSTER, Can.HAND_OVER, Can.DECLARE_EMERGENCY}
_COUNTY = {
    Can.SEE_VISITS,
    Can.SEE_PHOTOS,
    Can.SEE_FINDINGS,
    Can.SEE_PROBLEMS,
    Can.SEE_RESTRICTED,
    Can.SEE_ARCHIVES,
    Can.SEE_OVERDUE,
    Can.SEE_REGIONS,
    Can.SEE_SETTINGS,
    Can.SEE_LOOKS,
}

GRANTS: Mapping[Role, frozenset[Can]] = {
    Role.VISITOR: frozenset(
        _EVERY_ROLE | _OWN_WORK | {Can.SEE_ARCHIVES, Can.SEE_OVERDUE, Can.REVEAL, Can.SEE_RECTIFICATIONS}
    ),
    Role.REVIEWER: frozenset(_EVERY_ROLE | _TOWNSHIP | _CHECKER | {Can.EDIT_PEOPLE, Can.EDIT_KINSHIPS}),
    Role.CHIEF: frozenset(
        _EVERY_ROLE | _TOWNSHIP | _CHIEF | _CHECKER | _HEAD_OF_CHECKS | {Can.EDIT_KINSHIPS}
    ),
    Role.COUNTY_INSPECTOR: frozenset(_EVERY_ROLE | _COUNTY | _CHECKER | _HEAD_OF_CHECKS),
    Role.ADMINISTRATOR: frozenset(
        _EVERY_ROLE
        | {
            Can.SEE_REGIONS,
            Can.SEE_ACCOUNTS,
            Can.EDIT_ACCOUNTS,
            Can.SEE_SETTINGS,
            Can.EDIT_SETTINGS,
            Can.READ_FEEDBACK,
        }
    ),
    Role.AUDITOR: frozenset(_EVERY_ROLE | {Can.READ_LEDGER, Can.SEE_SETTINGS, Can.PROVE_DRAWS}),
}


def may(role: Role, can: Can) -> bool:
    """Say whether a role may do this kind of deed at all."""
    return can in GRANTS[role]


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in worker on whose behalf something is done.

    `area_code` is the region that the role reaches (12, 9 or 6 digits); `at_browser` tells a browser session from a
    phone."""

    worker_id: UUID
    role: Role
    area_code: str
    name: str = ""
    at_browser: bool = False

    def may(self, can: Can) -> bool:
        """Say whether this actor may do this kind of deed."""
        return may(self.role, can)
