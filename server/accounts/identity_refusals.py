"""An identity that an outside provider vouches for, and why it may not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in outside: keyed on provider, app id and subject (openid; corpid and userid for WeCom)."""

    provider: str
    app_id: str
    subject: str
