"""Exports that were damaged, cut, emptied, doubled or put into another order are told in clear words."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_verify import __main__ as command
from ledger_verify.hashing import Peaks, leaf_hash
from server.ledger import tree
from server.ledger.notes import Signed, SigningKey
from tests.conftest import NOON

KEY = SigningKey.generate("test.example/ledger", random.Random(1).randbytes)
LEAVES = 600
Lines = list[dict[str, Any]]


def leaf(seq: int) -> dict[str, Any]:
    return {
        "v": 2,
        "seq": seq,
        "at": "2026-03-05T04:00:00Z",
        "actor": None,
        "action": "told",
        "person": None,
        "subject": "test:None",
        "request_id": None,
        "commitment": "00",
        "changes": True,
        "payload": None,
    }


def an_export(count: int = LEAVES) -> Lines:
    """Write an export by hand, as docs/verification.md describes it."""
    lines: Lines = [
        {"format": "tanfang-ledger-export/1", "first": 1, "last": count, "behind": False, "before": []}
    ]
    hashes = []
    for seq in range(1, count + 1):
        hashes.append(leaf_hash(leaf(seq)))
        lines.append({"leaf": leaf(seq), "hash": hashes[-1].hex(), "moved": None})
        if seq % 256 == 0:
            lines.append({"node": [8, seq // 256 - 1], "hash": tree.folded(hashes[-256:]).hex()})
        if seq == 500:
            root = tree.Tree(lambda level, first, some: [] if level else hashes[first : first + some]).root(
                500
            )
            said = Signed(KEY.name, 500, root, 1, NOON)
            row = {
                "number": 1,
                "size": 500,
                "root": root.hex(),
                "at": NOON.isoformat(),
                "note": KEY.sign(said),
            }
            lines.append({"checkpoint": row})
    lines.append({"records": {"visits": 0, "photos": 0, "erased": 0}})
    lines.append({"end": {"leaves": count, "whole": True, "after": []}})
    return lines


@pytest.fixture(scope="module")
def export() -> Lines:
    return an_export()


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, export: Lines) -> Path:
    """Give the folder of an inspector: public key and checkpoint."""
    folder = tmp_path_factory.mktemp("held")
    (folder / "key").write_text(KEY.public())
    note = next(one["checkpoint"]["note"] for one in export if "checkpoint" in one)
    (folder / "checkpoint").write_text(note)
    return folder


def written(lines: Lines) -> bytes:
    return b"".join(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in lines)


def told(held: Path, content: bytes, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Verify a file; gives exit code and words."""
    (held / "export").write_bytes(content)
    words = [
        "export",
        str(held / "export"),
        "--key",
        str(held / "key"),
        "--checkpoint",
        str(held / "checkpoint"),
    ]
    capfd.readouterr()
    code = command.main(words)
    return code, capfd.readouterr().out


def test_an_export_that_is_whole_is_told_to_be(
    held: Path, export: Lines, capfd: pytest.CaptureFixture[str]
) -> None:
    code, words = told(held, written(export), capfd)
    assert (code, words.splitlines()[-1]) == (0, "结论：核验通过，共 600 条，没有发现改动。")


def damage(name: str) -> Callable[[bytes], bytes]:
    lines = lambda content: content.split(b"\n")[:-1]  # noqa: E731
    whole = lambda parts: b"".join(one + b"\n" for one in parts)  # noqa: E731
    return {
        "empty": lambda _: b"",
        "only line ends": lambda _: b"\n\n\n",
        "cut at a line": lambda content: whole(lines(content)[:300]),
        "cut within a line": lambda content: content[: len(content) // 2],
        "not text": lambda _: bytes(range(256)) * 100,
        "no export": lambda _: b'{"format": "other"}\n',
        "a list": lambda _: b"[1]\n",
        "deeply nested": lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n",
        "garbage in the middle": lambda content: whole(
            [*lines(content)[:50], b"garbage", *lines(content)[50:]]
        ),
        "one long line": lambda _: b'{"format": "' + b"x" * 9_000_000,
        "longer than its end": lambda content: content + content.split(b"\n")[-3] + b"\n",
        "a head that lies": lambda content: content.replace(b'"first": 1', b'"first": 7', 1),
        "an end that lies": lambda content: content.replace(b'"leaves": 600', b'"leaves": 599'),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        *("empty", "only line ends", "cut at a line", "cut within a line", "not text", "no export", "a list"),
        *("deeply nested", "garbage in the middle", "one long line", "longer than its end"),
        *("a head that lies", "an end that lies"),
    ],
)
def test_a_damaged_file_is_called_damaged(
    held: Path, export: Lines, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    code, words = told(held, damage(name)(written(export)), capfd)
    assert code == 3, words
    assert "文件损坏】" in words
    assert "核验通过" not in words


def moved(name: str) -> Callable[[Lines], Lines]:
    return {
        "doubled": lambda lines: [*lines[:100], lines[99], *lines[100:]],
        "another order": lambda lines: [*lines[:100], lines[101], lines[100], *lines[102:]],
        "one left out": lambda lines: [*lines[:100], *lines[101:]],
        "node left out": lambda lines: [one for one in lines if one.get("node") != [8, 1]],
        "checkpoint left out": lambda lines: [one for one in lines if "checkpoint" not in one],
        "a leaf changed": lambda lines: [
            {**one, "leaf": {**one["leaf"], "action": "forged"}}
            if one.get("leaf", {}).get("seq") == 77
            else one
            for one in lines
        ],
    }[name]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("doubled", "第 99 条重复或次序颠倒"),
        ("another order", "第 100 条缺失"),
        ("one left out", "第 100 条缺失"),
        ("node left out", "第 8 层第 1 个节点缺失"),
        ("checkpoint left out", "手中的第 1 号检查点不在库中"),
        ("a leaf changed", "第 77 条的内容与登记的摘要不符"),
    ],
    ids=lambda one: None if one.startswith(("第", "手")) else one,
)
def test_what_was_moved_left_out_or_doubled_is_named(
    held: Path, export: Lines, capfd: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    lines = moved(name)(export)
    lines = [*lines[:-1], {"end": {**lines[-1]["end"], "leaves": sum("leaf" in one for one in lines)}}]
    code, words = told(held, written(lines), capfd)
    assert code == 1, words
    assert says in words


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**31), st.integers(1, 255))
def test_no_flipped_byte_passes_and_none_ends_in_a_traceback(
    held: Path, export: Lines, capfd: pytest.CaptureFixture[str], place: int, flipped: int
) -> None:
    content = bytearray(written(export))
    content[place % len(content)] ^= flipped
    code, _words = told(held, bytes(content), capfd)
    if code == 0:  # white space, or what the head says of the file beside its tree
        assert without_what_says_nothing(content) == without_what_says_nothing(written(export))
    else:
        assert code in {1, 3}


def without_what_says_nothing(content: bytes | bytearray) -> list[Any]:
    """Read an export without the words on which no verdict rests: of its head, of nothing, and how many were erased."""
    idle = {"last", "behind", "erased"}

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in pairs if value is not None and name not in idle}

    return [json.loads(line, object_pairs_hook=read) for line in bytes(content).splitlines()]


def test_a_file_and_a_key_that_are_not_there_are_told(held: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nowhere = str(held / "nowhere")
    right = ["--key", str(held / "key"), "--checkpoint", str(held / "checkpoint")]
    assert command.main(["export", nowhere, *right]) == 2
    assert command.main(["export", nowhere, "--key", nowhere, *right[2:]]) == 2
    assert command.main(["export", nowhere, *right[:2], "--checkpoint", str(held / "key")]) == 2
    assert "Traceback" not in capfd.readouterr().out


def test_control_characters_of_a_file_do_not_reach_the_terminal(
    held: Path, export: Lines, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = [*export[:-2], {"fault": {"what": "visit differs", "id": "\x1b[2J"}}, *export[-2:]]
    code, words = told(held, written(lines), capfd)
    assert (code, "\x1b" in words) == (1, False)


def test_it_runs_as_a_command_with_nothing_else_on_the_path(
    held: Path, export: Lines, tmp_path: Path
) -> None:
    (held / "export").write_bytes(written(export))
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-c", "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('ledger_verify', run_name='__main__')"),
            *(str(Path(command.__file__).parents[1]), "export", str(held / "export"), "--key", KEY.public()),
            *("--checkpoint", str(held / "checkpoint")),
        ],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert "核验通过" in done.stdout.decode()


@given(st.integers(0, 300), st.integers(0, 300))
def test_growing_to_the_right_gives_the_rfcs_roots(first: int, more: int) -> None:
    hashes = [leaf_hash(leaf(seq)) for seq in range(first + more)]
    there = tree.Tree(lambda level, at, some: hashes[at : at + some] if level == 0 else [])
    peaks = Peaks()
    for level, found in there.complete(0, first):
        assert peaks.fits(level)
        peaks.add(found, level)
    for one in hashes[first:]:
        peaks.add(one)
    assert peaks.root() == there.root(first + more)
