"""Puts the application together: settings, tools and parts in, one Flask app out."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import sessionmaker
from werkzeug.middleware.proxy_fix import ProxyFix

from server import cli, routing
from server.accounts.identity_refusals import Identity
from server.accounts.signed_in import who, who_is
from server.accounts.wechat import WeChat, WeChatApp
from server.accounts.wecom import WeCom, WeComApp
from server.db import engine_options, prepare_engine, refuse_unsafe, sqlite_folder
from server.http import health, log, problems
from server.http.api import HouseApi
from server.http.draining import Draining
from server.http.parts import Parts
from server.openapi import OPTIONS
from server.settings import Settings
from server.storage import open_store
from server.storage.reserve import Reserve
from server.tables import METADATA
from server.tools import Tools
from server.vault.keyring import Keyring
from server.vault.keys import KeyStore
from server.visits.duties import settle_people
from server.web import installing as web


class _Server(Flask):
    """Flask, with views that are all plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function: none here is a coroutine, and asking each of them costs every request a little."""
        return func


def _identity_providers(settings: Settings, tools: Tools) -> dict[str, Callable[[str], Identity]]:
    wechat = WeChatApp(settings.wechat_base_url, settings.wechat_app_id, settings.wechat_app_secret)
    wecom = WeComApp(settings.wecom_base_url, settings.wecom_corp_id, settings.wecom_corp_secret)
    return {
        "wechat": WeChat(wechat, tools.clock).code_to_session,
        "wecom": WeCom(wecom, tools.clock).code_to_session,
    }


def create_app(settings: Settings, tools: Tools | None = None) -> Flask:
    """Make the application for one process; unsafe settings and databases are refused here."""
    settings.check()
    tools = tools or Tools()
    log.configure()
    app = _Server("server", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url, pool_size=settings.pool_size),
        **OPTIONS,
    )
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    app.wsgi_app = Draining(app.wsgi_app)  # type: ignore[method-assign]
    database = SQLAlchemy(metadata=METADATA)
    database.init_app(app)
    with app.app_context():
        engine = database.engine
    prepare_engine(engine)
    refuse_unsafe(engine)
    sessions = sessionmaker(engine, expire_on_commit=False)
    reserve = Reserve(sqlite_folder(settings.database_url), settings.reserve_mb * 1_000_000)
    reserve.hold()
    app.extensions["parts"] = Parts(
        settings=settings,
        tools=tools,
        engine=engine,
        sessions=sessions,
        keys=KeyStore(Keyring.parse(settings.keyring), sessions, tools),
        store=open_store(
            settings.storage_url,
            s3_endpoint_url=settings.s3_endpoint_url,
            # Half of a process's threads (POOL_SIZE equals them), so that a store that hangs leaves the others.
            s3_pool_size=max(2, settings.pool_size // 2),
            low_water=settings.low_water_mb * 1_000_000,
        ),
        reserve=reserve,
        who=who,
        who_is=who_is,
        settle=settle_people,
    )
    log.install(app)
    problems.install(app)
    app.register_blueprint(health.health)
    app.extensions["identity_providers"] = _identity_providers(settings, tools)
    routing.register(app, HouseApi(app))
    web.install(app)
    cli.install(app)
    return app
