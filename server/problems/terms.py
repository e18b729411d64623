"""The words of problems."""

from server.terms import Term


class Severity(Term):
    """How bad a problem is (严重程度)."""

    LOW = "low", "轻微", "DOMAIN §3.8"
    MEDIUM = "medium", "一般", "DOMAIN §3.8"
    HIGH = "high", "严重", "DOMAIN §3.8"
    URGENT = "urgent", "紧急", "DOMAIN §3.8"


class ProblemState(Term):
    """Where a problem stands (问题状态)."""

    OPEN = "open", "待处理", "DOMAIN §3.8"
    FIXED = "fixed", "现场已解决", "DOMAIN §3.8"
    WITHDRAWN = "withdrawn", "已撤回", "CONTRACT §6"
