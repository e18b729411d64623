"""The database: whether it answers, keeps what it acknowledges, and has the schema of this program."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from server.db import UnsafeDatabaseError, engine_options, prepare_engine, refuse_unsafe, vault_file
from server.doctor.terms import Finding, Part, State
from server.schema import Standing, standing
from server.settings import Settings

OLDEST = 150_000
PROCESSES = 2
FOR_OTHERS = 10


def open_database(settings: Settings) -> Engine | Finding:
    """Open the database as the service does, but never make one that is not there."""
    try:
        url = make_url(settings.database_url)
        options = engine_options(settings.database_url, pool_size=1)
    except (ArgumentError, UnsafeDatabaseError):
        return _trouble("DATABASE_URL 不是可用的数据库地址。", "按第 2 节的例子改正。")
    if url.get_backend_name() == "sqlite":
        for path in (url.database or "", vault_file(settings.database_url)):
            if not Path(path).is_file():
                return _trouble(
                    f"没有数据库文件 {path}。", "第一次安装：flask db upgrade；否则从备份恢复，不要新建。"
                )
    engine = create_engine(url, **options)
    prepare_engine(engine)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        engine.dispose()
        return _trouble(
            f"连不上数据库（{type(error).__name__}）。",
            "看数据库是否在运行（systemctl status postgresql），密码、端口、防火墙，以及磁盘是否已满。",
        )
    return engine


def examine_database(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """Look at the settings that keep acknowledged records, and at the room for connections."""
    found = list(_postgresql(engine, settings)) if engine.dialect.name == "postgresql" else []
    try:
        refuse_unsafe(engine)
    except UnsafeDatabaseError as unsafe:
        found.append(
            _trouble(
                f"数据库设置不安全，断电会丢失已确认的记录：{unsafe}", "改正这一项数据库设置，不要绕开。"
            )
        )
    yield from found or [Finding(Part.DATABASE, State.OK, "数据库有应答，设置安全。")]


def _postgresql(engine: Engine, settings: Settings) -> Iterator[Finding]:
    with engine.connect() as connection:
        version = int(str(connection.execute(text("SHOW server_version_num")).scalar_one()))
        standby = bool(connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one())
        most = int(str(connection.execute(text("SHOW max_connections")).scalar_one()))
    if version < OLDEST:
        yield _trouble(f"PostgreSQL 版本太旧（{version // 10_000}）。", "升级到 15 或更新。")
    if standby:
        yield _trouble("连到的是只读的备库，不能保存。", "让 DATABASE_URL 指向主库。")
    needed = PROCESSES * 2 * settings.pool_size + FOR_OTHERS
    if needed > most:
        yield Finding(
            Part.DATABASE,
            State.WARNING,
            f"max_connections 是 {most}，{PROCESSES} 个进程忙时可能要 {needed} 个连接。",
            "调大 max_connections，或调小 POOL_SIZE。",
        )


def examine_schema(engine: Engine) -> Iterator[Finding]:
    """Compare the schema of the database with what this program was written for."""
    with engine.connect() as connection:
        found = standing(connection)
    part = Part.SCHEMA
    if found is Standing.HEAD:
        yield Finding(part, State.OK, "表结构是最新的。")
    elif found is Standing.EMPTY:
        yield Finding(part, State.TROUBLE, "数据库是空的。", "flask db upgrade，再按第 3 节写入规定和账户。")
    elif found is Standing.BEHIND:
        yield Finding(part, State.TROUBLE, "表结构比程序旧，忘了升级。", "flask db upgrade。")
    else:
        yield Finding(
            part,
            State.WARNING,
            "表结构比程序新：升级到一半，或程序退回了旧版本。",
            "把程序升级到同一版本；只增加的变更不妨碍旧版本工作。",
        )


def _trouble(sentence: str, advice: str) -> Finding:
    return Finding(Part.DATABASE, State.TROUBLE, sentence, advice)
