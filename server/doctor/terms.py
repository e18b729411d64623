"""What an examination finds."""

import datetime as dt
from dataclasses import dataclass

from server.terms import Term


class State(Term):
    """How a part of the installation is."""

    OK = "ok", "正常"
    UNKNOWN = "unknown", "未知"
    WARNING = "warning", "注意"
    TROUBLE = "trouble", "故障"


class Part(Term):
    """What is examined, in the order in which it is told."""

    CONFIGURATION = "configuration", "设置"
    KEYS = "keys", "密钥环"
    DATABASE = "database", "数据库"
    SCHEMA = "schema", "表结构"
    CLOCK = "clock", "时钟"
    DISK = "disk", "磁盘"
    STORAGE = "storage", "照片存储"
    SIGN_IN = "sign_in", "微信登录"
    BACKGROUND = "background", "后台任务"
    BACKUP = "backup", "备份"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; `advice` says what to do about it. Neither holds a secret or a personal datum."""

    part: Part
    state: State
    sentence: str
    advice: str = ""


def plain_age(age: dt.timedelta) -> str:
    """Write how long ago something was, in minutes, hours or days."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 2 * 60:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} 天"
