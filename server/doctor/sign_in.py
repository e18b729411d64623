"""WeChat and WeCom: whether their addresses answer. No secret is sent to find out."""

from collections.abc import Iterator

from server.accounts.provider_calls import Deadline, NoAnswer, ProviderCalls
from server.doctor.terms import Finding, Part, State
from server.settings import Settings

PART = Part.SIGN_IN
SECONDS = 5.0
SILENT = frozenset({"no_connection", "timed_out", "broken_off"})


def examine_sign_in(settings: Settings, *, seconds: float = SECONDS) -> Iterator[Finding]:
    """Ask each provider that is set up for nothing in particular; any answer will do."""
    asked = [
        ("微信", settings.wechat_app_id, settings.wechat_base_url),
        ("企业微信", settings.wecom_corp_id, settings.wecom_base_url),
    ]
    for name, is_used, url in asked:
        if is_used:
            yield _ask(name, url, seconds)
    if not any(is_used for _, is_used, _ in asked):
        yield Finding(PART, State.OK, "没有启用微信或企业微信登录，用密码登录。")


def _ask(name: str, url: str, seconds: float) -> Finding:
    try:
        calls = ProviderCalls(url, connect_timeout=seconds, read_timeout=seconds, most_bytes=1 << 16)
        calls.get("/", {}, Deadline(seconds))
    except ValueError:
        return Finding(PART, State.TROUBLE, f"{name}的地址有误。", "按第 2 节改正。")
    except NoAnswer as silence:
        if silence.reason in SILENT:
            return Finding(
                PART,
                State.TROUBLE,
                f"{name}的服务器没有应答（{silence.reason}）：手机无法重新登录，已登录的照常使用。",
                "看本机能否出网、域名解析、证书和防火墙；只能内网时设中转地址。",
            )
    return Finding(PART, State.OK, f"{name}的服务器有应答。")
