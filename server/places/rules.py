"""Whether a phone was at the home: a three-way fence that knows its own limits.

The answer feeds a finding that a person weighs (CONTRACT §6, §9); it never refuses a visit. It therefore says
`outside` only when the whole circle in which the phone may be lies outside, and nothing at all from a coarse fix.
"""

from server.places.datums import place_of
from server.places.distance import distance_m
from server.places.terms import Doubt, Fence, FencePolicy, Fix, Point, Verdict


def fence(home: Point | None, fix: Fix | None, policy: FencePolicy) -> Verdict:
    """Judge whether a fix was taken at the home: inside, outside or cannot tell.

    Inside: every place within the fix's accuracy is within the radius. Outside: none is. Everything else, and
    every fix whose accuracy is unknown or worse than the policy's worst, cannot tell.
    """
    if fix is None or fix.is_blank:
        return Verdict(Fence.CANNOT_TELL, None, None, Doubt.NO_FIX)
    accuracy = fix.known_accuracy_m
    if home is None:
        return Verdict(Fence.CANNOT_TELL, None, accuracy, Doubt.NO_HOME)
    distance = distance_m(home, place_of(fix))
    if accuracy is None or accuracy > policy.worst_accuracy_m:
        doubt = Doubt.UNKNOWN_ACCURACY if accuracy is None else Doubt.COARSE
        return Verdict(Fence.CANNOT_TELL, distance, accuracy, doubt)
    if distance + accuracy <= policy.radius_m:
        return Verdict(Fence.INSIDE, distance, accuracy)
    if distance - accuracy > policy.radius_m:
        return Verdict(Fence.OUTSIDE, distance, accuracy)
    return Verdict(Fence.CANNOT_TELL, distance, accuracy, Doubt.ON_THE_EDGE)
