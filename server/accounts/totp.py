"""One-time codes (TOTP, RFC 6238) for browser users; a code is used once."""

import datetime as dt
import hmac
import re
import unicodedata
from base64 import b32encode
from collections.abc import Callable

import pyotp

STEP_SECONDS = 30
DRIFT = 1
SECRET_BYTES = 20
LONGEST_TYPED = 20
_CODE = re.compile(r"[0-9]{6}\Z")


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Make a secret of 160 bits in base 32."""
    return b32encode(random_bytes(SECRET_BYTES)).decode()


def uri(secret: str, username: str, issuer: str = "探访") -> str:
    """Give the otpauth:// address that an authenticator scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def matched_step(secret: str, code: str, now: dt.datetime, last_step: int | None = None) -> int | None:
    """Give the number of the 30-second step that a code belongs to, one step of drift allowed; None if to none.

    Steps up to `last_step` are used up. The caller stores the step that it is given, in the transaction of the
    sign-in, and hands it in the next time. Full-width digits and blanks are forgiven.
    """
    if len(code) > LONGEST_TYPED:
        return None
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    if not _CODE.match(typed):
        return None
    current = int(now.timestamp()) // STEP_SECONDS
    otp = pyotp.TOTP(secret)
    matched = None
    for step in range(max(current - DRIFT, 0), current + DRIFT + 1):
        fits = hmac.compare_digest(otp.generate_otp(step), typed)
        if fits and matched is None and (last_step is None or step > last_step):
            matched = step
    return matched
