"""Where an installation keeps its backups, by its settings."""

from collections.abc import Callable

from server.keeping.archive import Archive, backup_key, place
from server.keeping.catalogue import Archives
from server.keeping.terms import KeepingRefused
from server.settings import Settings, SettingsError, text_or_file
from server.storage import BlobStore


def archives_of(settings: Settings, random_bytes: Callable[[int], bytes]) -> tuple[Archives, BlobStore]:
    """Open the archives of records and keys, and the place of the photos; KeepingRefused says which setting is wrong."""
    for name, value in (("BACKUP_URL", settings.backup_url), ("BACKUP_KEYS_URL", settings.backup_keys_url)):
        if not value:
            raise KeepingRefused(f"没有设置 {name}：备份放在哪里（file:///文件夹 或 s3://桶/前缀）。")
    assert settings.backup_url is not None
    assert settings.backup_keys_url is not None
    records, keys = (url.rstrip("/") + "/" for url in (settings.backup_url, settings.backup_keys_url))
    if records.startswith(keys) or keys.startswith(records):
        raise KeepingRefused("BACKUP_KEYS_URL 与 BACKUP_URL 必须分开：数据密钥的备份不能与记录放在一处。")
    try:
        text = None if settings.backup_key is None else text_or_file("BACKUP_KEY", settings.backup_key)
    except SettingsError as wrong:
        raise KeepingRefused(f"备份密钥读不出来：{wrong}") from None
    key = backup_key(text, random_bytes)
    endpoint = settings.s3_endpoint_url
    return (
        Archives(
            ticks=Archive.at(records, key, "ticks", s3_endpoint_url=endpoint),
            records=Archive.at(records, key, "records", s3_endpoint_url=endpoint),
            keys=Archive.at(keys, key, "keys", s3_endpoint_url=endpoint),
            erasures=Archive.at(records, key, "erasures", s3_endpoint_url=endpoint),
        ),
        place(records + "photos", endpoint),
    )
