"""The words of places: points, fixes as phones send them, and what a fence can say."""

import math
from dataclasses import dataclass
from datetime import datetime

from server.terms import Term


class Datum(Term):
    """In which coordinates a phone reports: plain GPS, or the shifted ones of Chinese maps."""

    WGS84 = "wgs84", "WGS-84 坐标（GPS）", "CONTRACT §4"
    GCJ02 = "gcj02", "GCJ-02 坐标（国测局）", "CONTRACT §4"


class NoLocationReason(Term):
    """Why a visit was recorded without a location."""

    REFUSED = "refused", "未授权定位", "CONTRACT §4"
    NO_SIGNAL = "no_signal", "没有信号", "CONTRACT §4"
    INDOOR = "indoor", "室内无法定位", "CONTRACT §4"
    DEVICE = "device", "手机不支持或故障", "CONTRACT §4"
    NOT_REQUIRED = "not_required", "无需定位", "CONTRACT §4"


class Fence(Term):
    """Whether the phone was at the home, as far as its fix allows to say."""

    INSIDE = "inside", "在住处范围内", "CONTRACT §9"
    OUTSIDE = "outside", "不在住处范围内", "CONTRACT §9"
    CANNOT_TELL = "cannot_tell", "无法判断", "CONTRACT §9"


class Doubt(Term):
    """Why a fence cannot tell."""

    NO_HOME = "no_home", "住处尚未标定位置", "CONTRACT §3"
    NO_FIX = "no_fix", "没有定位", "CONTRACT §4"
    UNKNOWN_ACCURACY = "unknown_accuracy", "定位精度不明", "CONTRACT §9"
    COARSE = "coarse", "定位精度太低", "CONTRACT §9"
    ON_THE_EDGE = "on_the_edge", "定位误差跨越范围边界", "CONTRACT §9"


POLE = 90.0  # degrees of latitude
ANTIMERIDIAN = 180.0  # degrees of longitude


def _check_range(latitude: float, longitude: float) -> None:
    # NaN fails both comparisons, so it is refused with what is out of range.
    if not (abs(latitude) <= POLE and abs(longitude) <= ANTIMERIDIAN):
        raise ValueError("latitude is within ±90 and longitude within ±180 degrees")


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the ground, always in WGS-84 degrees; anything else is a `Fix` until it is converted.

    Raises ValueError outside ±90 and ±180 or for NaN.
    """

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        _check_range(self.latitude, self.longitude)


@dataclass(frozen=True, slots=True)
class Fix:
    """A location as a phone sent it: degrees in its own datum, kept raw.

    `accuracy_m` is the radius in metres within which the phone believes itself; None when it did not say.
    Raises ValueError outside ±90 and ±180 or for NaN.
    """

    latitude: float
    longitude: float
    datum: Datum
    accuracy_m: float | None = None
    taken_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_range(self.latitude, self.longitude)

    @property
    def known_accuracy_m(self) -> float | None:
        """The accuracy in metres when it means something, else None.

        Zero is what mock providers and some Android phones report, iOS reports -1 for a fix that is not valid.
        """
        accuracy = self.accuracy_m
        if accuracy is None or not math.isfinite(accuracy) or accuracy <= 0:
            return None
        return accuracy

    @property
    def is_blank(self) -> bool:
        """Whether this is the 0°, 0° of a phone that failed to locate itself, not a place."""
        return self.latitude == 0 and self.longitude == 0


@dataclass(frozen=True, slots=True)
class FencePolicy:
    """How near is near, in metres; fed from the settings.

    A fix counts as at home within `radius_m`; one less accurate than `worst_accuracy_m` proves nothing.
    """

    radius_m: float = 200.0
    worst_accuracy_m: float = 150.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the fence says of one fix, with the numbers that it rests on (metres).

    `doubt` is given exactly when `fence` is `cannot_tell`. `distance_m` is None without a home or a fix,
    `accuracy_m` when the phone's figure means nothing.
    """

    fence: Fence
    distance_m: float | None
    accuracy_m: float | None
    doubt: Doubt | None = None
