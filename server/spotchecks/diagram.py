"""Draws the states of spot checks for docs/states.md, from the tables that the code decides by."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from server.spotchecks.states import CHECKS, PLANS, RECTIFICATIONS, State, Step
from server.spotchecks.terms import RectificationState, SpotCheckPlanState, SpotCheckState


def spot_check_states() -> str:
    """Write the part of docs/states.md that is about spot checks."""
    return "\n".join(
        [
            "",
            "## Spot-check plans (抽查计划)",
            "",
            *_diagram(SpotCheckPlanState, SpotCheckPlanState.PLANNED, "制定", PLANS),
            "",
            "## Visits of a sample (抽查件)",
            "",
            *_diagram(SpotCheckState, SpotCheckState.DRAWN, "抽中", CHECKS),
            "",
            "## Rectifications (整改)",
            "",
            *_diagram(RectificationState, RectificationState.OPEN, "认定有问题", RECTIFICATIONS),
            "",
        ]
    )


def _diagram(
    states: type[State], first: State, begins: str, moves: Mapping[tuple[State, Step], State]
) -> Iterator[str]:
    yield from ("```mermaid", "stateDiagram-v2")
    yield from (f"    {state}: {state.label}" for state in states)
    yield f"    [*] --> {first}: {begins}"
    arrows: dict[tuple[State, State], list[str]] = defaultdict(list)
    for (before, step), after in moves.items():
        arrows[before, after].append(f"{step} {step.label}")
    yield from (f"    {before} --> {after}: {'、'.join(steps)}" for (before, after), steps in arrows.items())
    yield "```"
