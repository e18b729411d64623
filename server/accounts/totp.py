"""One-time codes (TOTP, RFC 6238) for browser users; a code is used once."""

import datetime as dt
import hmac
from base64 import b32encode
from collections.abc import Callable

import pyotp

STEP_SECONDS = 30
DRIFT = 1
SECRET_BYTES = 20


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Make a secret of 160 bits in base 32."""
    return b32encode(random_bytes(SECRET_BYTES)).decode()


def uri(secret: str, username: str) -> str:
    """Give the otpauth:// address that an authenticator scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name="探访")


def matched_step(secret: str, code: str, now: dt.datetime) -> int | None:
    """Give the number of the 30-second step that a code belongs to, one step of drift allowed; None if to none.

    The caller stores it and refuses codes of that step or an earlier one.
    """
    if len(code) != 6 or not code.isascii() or not code.isdecimal():  # noqa: PLR2004
        return None
    current = int(now.timestamp()) // STEP_SECONDS
    otp = pyotp.TOTP(secret)
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(otp.generate_otp(step), code):
            return step
    return None
