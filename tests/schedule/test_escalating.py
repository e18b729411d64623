"""An overdue duty is told of once at each step, however often and in however many places the command runs."""

import json
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from server.people.terms import Category
from server.schedule import escalating
from server.schedule.models import Escalation
from tests.builders.world import World


def escalate(world: World) -> dict[str, int]:
    """Run the command."""
    done = world.app.test_cli_runner().invoke(args=["duties", "escalate"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.output))


def test_each_step_once(world: World) -> None:
    world.person()  # January is overdue for 33 days, February for 5
    world.person(category=Category.DIBAO_RURAL)
    assert escalate(world) == {"step_1": 2, "step_2": 1, "step_3": 1}
    assert escalate(world) == {"step_1": 0, "step_2": 0, "step_3": 0}
    world.clock.move(days=2)
    assert escalate(world) == {"step_1": 0, "step_2": 1, "step_3": 0}
    with world.work() as work:
        assert len(work.session.scalars(select(Escalation)).all()) == 5


def test_two_runs_at_once_never_double(world: World) -> None:
    for _ in range(6):
        world.person()

    def run(_: int) -> dict[int, int]:
        with world.work() as work:
            return escalating.escalate(work)

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(run, range(3)))
    assert sum(one[1] for one in counts) == 12


def test_the_other_timers_run_twice(world: World) -> None:
    runner = world.app.test_cli_runner()
    for args in (["photos", "sweep"], ["limits", "forget"], ["regions", "move"], ["duties", "open"]):
        assert runner.invoke(args=args).exit_code == 0
        assert runner.invoke(args=args).exit_code == 0
