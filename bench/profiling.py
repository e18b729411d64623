"""Where the time of a request goes: the application in this process over a real PostgreSQL, no server before it.

Prints CPU-milliseconds a request (this process alone) for each kind, and the share of each library and room in them, as
the deterministic profiler sees it; the shares are right to a few percent, the milliseconds come from a run without it.
"""

import cProfile
import io
import itertools
import pstats
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from bench import phone
from bench.measuring import Figure, Plan
from bench.population import sign_in
from bench.server import in_this_process
from server.permissions import Role

WARM, TIMED, PROFILED = 100, 1000, 300
COUNTY = "341882"
PLACES = (
    *("sqlalchemy", "psycopg", "flask_smorest", "webargs", "marshmallow", "flask", "werkzeug", "structlog"),
    *("prometheus_client", "cryptography", "PIL", "server", "api_schemas"),
)

Ask = Callable[[], int]


def profiles(plan: Plan) -> list[Figure]:
    """Profile each kind of request of the main job."""
    with in_this_process(people=min(plan.people, 2000)) as (app, house, visitors):
        inspector = sign_in(house, Role.COUNTY_INSPECTOR, COUNTY)
        targets = [(one.token, str(one.worker), str(person)) for one in visitors for person in one.people]
        numbers = itertools.count()
        visits: list[str] = []
        photos: list[str] = []
        pictures = phone.pictures(2)

        def record() -> int:
            number = next(numbers)
            token, worker, person = targets[number % len(targets)]
            visits.append(str(house.tools.new_id()))
            body = phone.visit(person, worker, number, [])
            return ask(app, "PUT", f"/visits/{visits[-1]}", token, body, "application/json")

        def upload() -> int:
            number = next(numbers)
            index = number % min(len(visits), len(targets))
            photos.append(str(house.tools.new_id()))
            form, kind = phone.upload(photos[-1], phone.unique(pictures[number % 2], photos[-1]))
            return ask(app, "POST", f"/visits/{visits[index]}/photos", targets[index][0], form, kind)

        def read(paths: Callable[[int], str]) -> Ask:
            return lambda: ask(app, "GET", paths(next(numbers)), inspector)

        def same(path: str) -> Ask:
            return lambda: ask(app, "GET", path, inspector)

        kinds: dict[str, Ask] = {
            "record a visit": record,
            "take in a photo of 300 kB": upload,
            "make the renditions of a photo": read(lambda n: f"/photos/{photos[n % len(photos)]}?size=thumb"),
            "read a rendition already made": read(lambda n: f"/photos/{photos[n % 1]}?size=thumb"),
            "read one visit": read(lambda n: f"/visits/{visits[n % len(visits)]}"),
            "read one archive": read(lambda n: f"/archives/{targets[n % len(targets)][2]}"),
            "a page of 50 archives": same("/archives?limit=50"),
            "a page of 50 visits": same("/visits?limit=50"),
        }
        for name, act in kinds.items():
            if act is kinds["make the renditions of a photo"]:
                numbers = itertools.count()
            _profile(name, act)
    return []


def ask(app: Flask, method: str, path: str, token: str, body: bytes = b"", kind: str = "") -> int:
    """Send one request into the application; returns the status, the body being read and dropped."""
    path, _, query = path.partition("?")
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": f"/api/v1{path}",
        "QUERY_STRING": query,
        "SERVER_NAME": "bench",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body:
        environ |= {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body))}

    def start(status: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
        said.append(status)
        return lambda _more: None

    answer = app.wsgi_app(environ, start)
    for _ in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()
    return int(said[0][:3])


def _profile(name: str, act: Ask) -> None:
    few = 10 if "photo" in name else 1
    for _ in range(WARM // few):
        assert act() < 300
    began, wall = time.process_time(), time.perf_counter()
    for _ in range(TIMED // few):
        assert act() < 300
    each = (time.process_time() - began) / (TIMED // few) * 1000
    wall_each = (time.perf_counter() - wall) / (TIMED // few) * 1000
    with _profiler() as profile:
        for _ in range(PROFILED // few):
            act()
    print(f"\n{name}: {each:.2f} ms of CPU in this process, {wall_each:.2f} ms by the clock")
    times: defaultdict[str, float] = defaultdict(float)
    for (file, _, function), (_, _, own, _, _) in _stats(profile).items():
        times[_place(file, function)] += own
    together = sum(times.values())
    largest = sorted(times.items(), key=lambda one: -one[1])
    print("  " + ", ".join(f"{place} {own / together:.0%}" for place, own in largest[:12]))


@contextmanager
def _profiler() -> Iterator[cProfile.Profile]:
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    try:
        yield profile
    finally:
        profile.disable()


def _stats(profile: cProfile.Profile) -> dict[tuple[str, int, str], tuple[int, int, float, float, Any]]:
    stats: Any = pstats.Stats(profile)
    found: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = stats.stats
    return found


def _place(file: str, function: str) -> str:
    for place in PLACES:
        if f"/{place}/" in file or f"{place}." in function or f"'{place}" in function:
            return (
                f"server/{file.split('/server/')[1].split('/', maxsplit=1)[0]}"
                if place == "server"
                else place
            )
    return "Python" if file != "~" else "built in"
