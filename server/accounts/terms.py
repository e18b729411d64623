"""The words of accounts."""

from server.terms import Term


class SessionKind(Term):
    """Where a session lives; it decides how long."""

    PHONE = "phone", "手机", "TRUST §2"
    BROWSER = "browser", "浏览器", "TRUST §2"
