"""What a password must be."""

import unicodedata
from dataclasses import dataclass

from server.errors import Invalid


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """How long a password is, in characters."""

    least: int = 10
    most: int = 256


POLICY = PasswordPolicy()


def normal_password(password: str) -> str:
    """Write a password as it is hashed: what an input method typed in full width is the same in half width."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, username: str | None, policy: PasswordPolicy = POLICY) -> None:
    """Refuse a password that is too short, too long, or the user name; `errors` says which (field `password`)."""
    if len(password) > policy.most:  # before the normal form is made: that may be 18 times as long
        raise Invalid(errors={"password": [f"密码最多 {policy.most} 个字符。"]})
    normal = normal_password(password)
    wrong = []
    if len(normal) < policy.least:
        wrong.append(f"密码至少 {policy.least} 个字符。")
    if username and normal.casefold() == normal_password(username).casefold():
        wrong.append("密码不能与用户名相同。")
    if wrong:
        raise Invalid(errors={"password": wrong})
