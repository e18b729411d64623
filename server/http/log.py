"""One JSON line a request: its id, its route, its status, its time; never a path with a datum, a body or a name."""

import logging
import re
import sys
import time

import orjson
import structlog
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

from server.http.parts import parts

_CLEAN = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
OUR_IDS = frozenset({"request_id", "worker"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_LONG_DIGITS = re.compile(r"\d{7,}[\dXx]?")

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "requests_total", "Requests by route and status", ["route", "method", "status"], registry=REGISTRY
)
SECONDS = Histogram("request_seconds", "Seconds by route", ["route", "method"], registry=REGISTRY)


def mask(_logger: object, _name: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Star out whatever looks like an id number or a phone number, wherever it came from."""
    return {
        key: _LONG_DIGITS.sub("***", value) if isinstance(value, str) and key not in OUR_IDS else value
        for key, value in line.items()
    }


def _written(line: structlog.typing.EventDict, **_options: object) -> str:
    return orjson.dumps(line, default=str).decode()


def configure() -> None:
    """Send every log line to stderr as JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask,
            structlog.processors.JSONRenderer(_written),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def install(app: Flask) -> None:
    """Give every request an id and a log line."""
    log = structlog.get_logger()

    @app.before_request
    def begin() -> None:
        sent = request.headers.get("X-Request-Id", "")
        is_clean = _CLEAN.match(sent) and not _LONG_DIGITS.fullmatch(sent)
        g.request_id = sent if is_clean else str(parts().tools.new_id())
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        route = str(request.url_rule) if request.url_rule else "none"
        # A sender may make up methods: each would be a figure of its own that is kept for ever, and a word in the log.
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, response.status_code).inc()
        SECONDS.labels(route, method).observe(seconds)
        log.info(
            "request",
            request_id=g.get("request_id"),
            method=method,
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            worker=str(g.get("worker_id", "")) or None,
        )
        return response
