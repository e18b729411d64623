"""What a password must be."""

from server.errors import Invalid

LEAST, MOST = 10, 256


def check_password(password: str, *, username: str | None) -> None:
    """Refuse a password that is too short, too long, or the user name."""
    wrong = []
    if len(password) < LEAST:
        wrong.append(f"密码至少 {LEAST} 个字符。")
    if len(password) > MOST:
        wrong.append(f"密码最多 {MOST} 个字符。")
    if username and password.casefold() == username.casefold():
        wrong.append("密码不能与用户名相同。")
    if wrong:
        raise Invalid(errors={"password": wrong})
