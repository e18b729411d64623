"""The settings: whether the service could start with them, and whether they are wise."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from server.accounts.provider_calls import ProviderCalls
from server.doctor.terms import Finding, Part, State
from server.settings import Settings, SettingsError
from server.storage.opening import open_store

PART = Part.CONFIGURATION


def read_settings() -> Settings | Finding:
    """Read the settings as the service does, or say why it would not start."""
    try:
        return Settings.from_env()
    except SettingsError as error:
        return Finding(
            PART,
            State.TROUBLE,
            f"服务无法启动：{error}",
            "改正 /etc/visits/env 中的这一项，再重启服务。",
        )


def examine_settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at what can be seen without asking anybody."""
    found = [
        *_addresses(settings),
        *_sign_in(settings),
        *_store(settings, environment),
    ]
    if settings.proxies == 0:
        found.append(
            Finding(
                PART,
                State.WARNING,
                "TRUSTED_PROXIES 为 0：所有手机看起来都来自同一个地址，一个人猜密码会让所有人暂时无法登录。",
                "前面有本项目的 nginx 时，设为 1。",
            )
        )
    yield from found or [Finding(PART, State.OK, "设置齐全。")]


def _addresses(settings: Settings) -> Iterator[Finding]:
    for name, url in (
        ("WECHAT_BASE_URL", settings.wechat_base_url),
        ("WECOM_BASE_URL", settings.wecom_base_url),
    ):
        try:
            ProviderCalls(url, connect_timeout=1, read_timeout=1, most_bytes=1)
        except ValueError:
            yield Finding(
                PART,
                State.TROUBLE,
                f"{name} 不是可用的 https 地址。",
                "改为 https:// 开头的地址；本机中转可用 http://127.0.0.1。",
            )
    endpoint = urlsplit(settings.s3_endpoint_url or "")
    if endpoint.scheme == "http" and endpoint.hostname not in {"127.0.0.1", "::1", "localhost"}:
        yield Finding(
            PART,
            State.WARNING,
            "S3_ENDPOINT_URL 是明文 http，存储的访问密钥签名和流量在网络上可见。",
            "改用 https 地址。",
        )


def _sign_in(settings: Settings) -> Iterator[Finding]:
    for name, first, second in (
        ("WECHAT_APP_ID、WECHAT_APP_SECRET", settings.wechat_app_id, settings.wechat_app_secret),
        ("WECOM_CORP_ID、WECOM_CORP_SECRET", settings.wecom_corp_id, settings.wecom_corp_secret),
    ):
        if bool(first) != bool(second):
            yield Finding(PART, State.TROUBLE, f"{name} 只填了一个，登录会失败。", "两个都填，或两个都不填。")


def _store(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    if not settings.storage_url.startswith("s3://"):
        return
    try:
        open_store(settings.storage_url, s3_endpoint_url=settings.s3_endpoint_url)
    except ValueError as error:
        yield Finding(PART, State.TROUBLE, f"STORAGE_URL 有误：{error}", "改正这一项，再重启服务。")
    if not environment.get("AWS_ACCESS_KEY_ID") or not environment.get("AWS_SECRET_ACCESS_KEY"):
        yield Finding(
            PART,
            State.WARNING,
            "没有设置 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY。",
            "除非由云主机的角色授权，否则补上这两项。",
        )
