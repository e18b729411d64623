"""From the six answers of the self-care assessment to the level of care (DOMAIN §1.2)."""

from collections.abc import Mapping

from server.errors import Invalid
from server.people.terms import Ability, CareLevel


class SelfCareIncomplete(Invalid):
    """The self-care assessment does not answer all six questions with yes or no."""

    title = "自理能力评估不完整"
    detail = "六项自理能力必须逐项填写“能”或“不能”，请补全后再提交。"


# The classes are the definition of the assessment itself, not a figure that a county may choose.
MOST_LOST_FOR_HALF_CARE = 3


def care_level(can: Mapping[Ability, bool]) -> CareLevel:
    """Decide the level of care: none lost is 全自理, one to three 半护理, four or more 全护理.

    `can` says of each of the six abilities whether the person does it alone. A missing answer, or one that is not a
    boolean, is refused with `SelfCareIncomplete`, whose `errors` name `can.<ability>`.
    """
    answers: Mapping[Ability, object] = can
    gaps = [ability for ability in Ability if not isinstance(answers.get(ability), bool)]
    if gaps:
        raise SelfCareIncomplete(
            errors={f"can.{ability}": [f"请填写能否{ability.label}。"] for ability in gaps},
        )
    lost = sum(not can[ability] for ability in Ability)
    if lost == 0:
        return CareLevel.FULL_SELF
    return CareLevel.HALF_CARE if lost <= MOST_LOST_FOR_HALF_CARE else CareLevel.FULL_CARE
