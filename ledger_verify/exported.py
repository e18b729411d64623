"""Verifies an export against checkpoints that were kept elsewhere: line by line, in a memory that does not grow.

An export is JSON lines: a head, entries in order, between them nodes and checkpoints as the database holds them, what
the exporting program found when it compared records, and an end.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ledger_verify.hashing import Peaks, commitment_of, is_leaf, leaf_hash
from ledger_verify.notes import Checkpoint, PublicKey, Unusable, checkpoint

FORMAT = "tanfang-ledger-export/1"
LONGEST_LINE = 8_000_000
MOST_TOLD = 50
MARGIN = dt.timedelta(hours=3)
"""By how much an entry may be older than a checkpoint before it: clocks that were set, work that took long."""

FAULTS = {
    "stray": "事件 {event} 既没有序号，也不在待编号之列：待编号记录被删除过",
    "looks": "第 {seq} 条涉及的人员没有全部登记在查看索引里：查看索引被改动过",
    "visit gone": "第 {seq} 条所记的走访记录 {id} 已不在数据库里：记录被删除",
    "visit untold": "走访记录 {id} 在留痕里没有填报：记录是直接插入数据库的",
    "visit differs": "走访记录 {id} 与留痕所记的内容不符：记录被直接改动过",
    "visit state": "走访记录 {id} 的状态或版本与留痕所记的不符：记录被直接改动过",
    "visit unread": "走访记录 {id} 的留痕内容打不开：内容或密钥被改动过",
    "photo gone": "第 {seq} 条所记的照片 {id} 已不在数据库里：记录被删除",
    "photo untold": "照片 {id} 在留痕里没有上传：记录是直接插入数据库的",
    "photo differs": "照片 {id} 与留痕所记的内容不符：记录被直接改动过",
}


@dataclass
class Report:
    """What was found: `changed` says that something was tampered with, `damaged` that the file cannot be read whole."""

    changed: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    more: int = 0
    entries: int = 0

    def change(self, text: str) -> None:
        """Note something that was changed; the first fifty are told."""
        if len(self.changed) < MOST_TOLD:
            self.changed.append(text)
        else:
            self.more += 1


class Broken(Exception):
    """The file cannot be read on; the message says where and why."""


def lines(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read JSON lines; raises Broken where one is none."""
    number = 0
    while True:
        raw = file.readline(LONGEST_LINE)
        if not raw:
            return
        number += 1
        if not raw.endswith(b"\n"):
            raise Broken(f"第 {number} 行不完整：文件被截断或损坏。")
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError):
            raise Broken(f"第 {number} 行读不懂：文件损坏。") from None
        if not isinstance(said, dict) or not said:
            raise Broken(f"第 {number} 行读不懂：文件损坏。")
        yield number, said


def verify(file: BinaryIO, key: PublicKey, held: Sequence[Checkpoint]) -> Report:
    """Verify an export against the checkpoints that the verifier holds."""
    report = Report()
    checking = _Checking(key, held, report)
    try:
        for number, said in lines(file):
            if checking.ended:
                raise Broken(f"第 {number} 行在结尾之后：文件被接长或损坏。")
            checking.line(number, said)
        if not checking.begun:
            raise Broken("文件是空的。")
        if not checking.ended:
            raise Broken("文件没有结尾：不完整，被截断。")
        checking.finish()
    except Broken as broken:
        report.damaged.append(str(broken))
    report.entries = checking.count
    return report


class _Checking:
    def __init__(self, key: PublicKey, held: Sequence[Checkpoint], report: Report) -> None:
        self.key = key
        self.all_held = list(held)
        self.held = sorted(held, key=lambda one: one.size)
        self.whole = False
        self.report = report
        self.begun = self.ended = False
        self.count = self.expected = 0
        self.peaks = Peaks()
        self.broken_at: int | None = None
        self.behind = False
        self.first = 1
        self.numbers: dict[int, tuple[int, bytes]] = {}
        self.last_number = 0
        self.good_until = 0
        self.oldest: dt.datetime | None = None

    def line(self, number: int, said: dict[str, Any]) -> None:
        if not self.begun:
            self._head(said)
            return
        kind = next(iter(said))
        act = {
            "leaf": self._leaf,
            "lost": self._lost,
            "node": self._node,
            "checkpoint": self._checkpoint,
            "fault": self._fault,
            "records": self._records,
            "end": self._end,
        }.get(kind)
        if act is None:
            raise Broken(f"第 {number} 行读不懂：文件损坏，或由更新的版本导出。")
        try:
            act(said)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise Broken(f"第 {number} 行缺少内容：文件损坏。") from None

    def _head(self, said: dict[str, Any]) -> None:
        if said.get("format") != FORMAT:
            raise Broken("这不是留痕的导出文件，或由更新的版本导出。")
        try:
            self.first = int(said["first"])
            before = [(int(level), bytes.fromhex(text)) for level, text in said["before"]]
            int(said["last"])
            self.behind = bool(said["behind"])
        except (KeyError, TypeError, ValueError):
            raise Broken("第 1 行读不懂：文件损坏。") from None
        for level, found in before:
            self._complete(level, found)
        if self.peaks.size != self.first - 1 or self.first < 1:
            raise Broken("第 1 行读不懂：文件损坏。")
        self.peaks.kept.clear()
        self.expected = self.first
        self.begun = True

    def _complete(self, level: int, found: bytes) -> None:
        if not self.peaks.fits(level) or len(found) != 32:
            raise Broken("文件里的树不对：文件损坏。")
        self.peaks.add(found, level)

    def _leaf(self, said: dict[str, Any]) -> None:
        leaf = said["leaf"]
        seq = leaf["seq"]
        if not isinstance(seq, int) or isinstance(seq, bool):
            raise ValueError
        self._in_order(seq)
        if not is_leaf(leaf):
            self._wrong(seq, "的形式没有见过：被改动过，或由更新的版本导出")
            self._add(bytes.fromhex(said["hash"]))
            return
        found = leaf_hash(leaf)
        if found.hex() != said["hash"]:
            self._wrong(seq, "的内容与登记的摘要不符：被改动过")
        payload = said.get("payload")
        if payload is not None:
            if leaf.get("v") == 2 and hashlib.sha256(payload.encode()).hexdigest() != leaf["payload"]:
                self._wrong(seq, "附带的内容与登记的摘要不符：被改动过")
            if commitment_of(payload) != leaf["commitment"]:
                self._wrong(seq, "附带的内容与承诺不符：被改动过")
        if leaf.get("v") == 2 and said.get("moved") != (leaf["person"] if leaf["changes"] else None):
            self._wrong(seq, "的同步索引（人员）被改动过")
        self._at(seq, leaf["at"])
        self._add(found)

    def _lost(self, said: dict[str, Any]) -> None:
        seq = int(said["lost"]["seq"])
        self._in_order(seq)
        self._wrong(seq, "只剩序号，内容（事件）已被删除")
        self._add(bytes.fromhex(said["lost"]["hash"]))

    def _in_order(self, seq: int) -> None:
        if seq > self.expected:
            until = "" if seq == self.expected + 1 else f" 至第 {seq - 1} 条"
            self._wrong(self.expected, f"{until}缺失：被删除")
        elif seq < self.expected:
            self._wrong(seq, "重复或次序颠倒")
        self.expected = max(seq, self.expected - 1) + 1

    def _wrong(self, seq: int, text: str) -> None:
        if self.broken_at is None or seq < self.broken_at:
            self.broken_at = seq
        self.report.change(f"第 {seq} 条{text}。")

    def _add(self, found: bytes) -> None:
        self.count += 1
        self._missing_nodes()
        self.peaks.add(found)
        while self.held and self.held[0].size == self.peaks.size:
            self._compare(self.held.pop(0))

    def _missing_nodes(self) -> None:
        """What is still kept by now was completed by the entry before, and no line told of it."""
        if self.peaks.kept and not self.behind:
            for level, place in self.peaks.kept:
                self.report.change(f"第 {level} 层第 {place} 个节点缺失：节点表被删改过。")
        self.peaks.kept.clear()

    def _compare(self, one: Checkpoint) -> None:
        if self.peaks.root() == one.root:
            self.good_until = max(self.good_until, one.size)
            self.oldest = _instant(one.at) or self.oldest
            return
        where = f"第 {self.good_until + 1} 条至第 {one.size} 条之间"
        if self.broken_at is not None and self.broken_at <= one.size:
            where += f"（最早在第 {self.broken_at} 条）"
        self.report.change(f"与手中的第 {one.number} 号检查点（{one.size} 条）不符：{where}被改动过。")

    def _node(self, said: dict[str, Any]) -> None:
        level, place = said["node"]
        found = self.peaks.kept.pop((level, place), None)
        if found is None:
            self.report.change(f"第 {level} 层第 {place} 个节点不该在这里：节点表被改动过。")
        elif found.hex() != said["hash"]:
            low, high = (place << level) + 1, (place + 1) << level
            self.report.change(
                f"第 {level} 层第 {place} 个节点（第 {low} 至 {high} 条）与内容不符：节点或这些条目被改动过。"
            )

    def _checkpoint(self, said: dict[str, Any]) -> None:
        row = said["checkpoint"]
        number, size = int(row["number"]), int(row["size"])
        try:
            signed = checkpoint(row["note"], self.key)
        except Unusable as why:
            self.report.change(f"库中第 {number} 号检查点被改动过：{why}")
            return
        if signed.more.get("after-restore") == str(number - 1):
            self.report.told.append(
                f"第 {number} 号检查点是从备份恢复之后签的：第 {self.last_number + 1} 号至第 {number - 1} 号之间的留痕"
                "随恢复丢失，请向管理员查问。"
            )
        elif number != self.last_number + 1 and (self.last_number or self.first == 1):
            self.report.change(
                f"检查点不连续：第 {self.last_number + 1} 号缺失或次序颠倒，检查点表被改动过。"
            )
        self.last_number = max(number, self.last_number)
        if (signed.number, signed.size, signed.root.hex(), _instant(signed.at)) != (
            number, size, row["root"], _instant(row["at"]),
        ):  # fmt: skip
            self.report.change(f"库中第 {number} 号检查点与其签名内容不符：检查点表被改动过。")
        self.numbers[number] = (signed.size, signed.root)
        if size > self.peaks.size:
            self.report.change(
                f"库中第 {number} 号检查点有 {size} 条，留痕只有 {self.peaks.size} 条：被截断。"
            )
        elif signed.size == self.peaks.size and self.peaks.root() != signed.root:
            self.report.change(
                f"与库中第 {number} 号检查点（{signed.size} 条）不符：第 {self.good_until + 1} 条至"
                f"第 {signed.size} 条之间被改动过。"
            )

    def _fault(self, said: dict[str, Any]) -> None:
        fault = said["fault"]
        words = FAULTS.get(fault["what"])
        if words is None:
            raise ValueError
        if isinstance(fault.get("seq"), int):
            self.broken_at = min(fault["seq"], self.broken_at or fault["seq"])
        self.report.change(words.format(**fault) + "。")

    def _records(self, said: dict[str, Any]) -> None:
        counts = said["records"]
        self.report.told.append(
            f"导出时比对了 {int(counts['visits'])} 条走访记录和 {int(counts['photos'])} 张照片，"
            f"其中 {int(counts['erased'])} 条因依法删除个人信息不再比对。"
        )

    def _at(self, seq: int, text: str) -> None:
        at = _instant(text)
        if at is None:
            raise ValueError
        if self.oldest is not None and seq > self.good_until and at < self.oldest - MARGIN:
            self._wrong(seq, f"排在检查点之后，时间却早于检查点（{text}）：事后补插")

    def _end(self, said: dict[str, Any]) -> None:
        end = said["end"]
        self.ended = True
        self.whole = bool(end["whole"])
        self._missing_nodes()
        if int(end["leaves"]) != self.count:
            raise Broken(f"结尾说有 {int(end['leaves'])} 条，文件里有 {self.count} 条：文件不完整。")
        for level, text in end["after"]:
            self._complete(int(level), bytes.fromhex(text))
            while self.held and self.held[0].size == self.peaks.size:
                self._compare(self.held.pop(0))

    def finish(self) -> None:
        """Say what the file as a whole shows."""
        for one in self.all_held if self.whole else ():
            known = self.numbers.get(one.number or 0)
            if known is None:
                self.report.change(
                    f"手中的第 {one.number} 号检查点不在库中：检查点表被删改，或数据库回滚过。"
                )
            elif known != (one.size, one.root):
                self.report.change(f"手中的第 {one.number} 号检查点与库中的同号检查点不同。")
        for one in self.held:
            if one.size < self.first:
                self.report.told.append(f"第 {one.number} 号检查点（{one.size} 条）早于这段导出，没有比对。")
            else:
                self.report.change(
                    f"留痕只有 {self.peaks.size} 条，手中的第 {one.number} 号检查点有 {one.size} 条：被截断或回滚。"
                )


def _instant(text: Any) -> dt.datetime | None:
    if not isinstance(text, str):
        return None
    try:
        found = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None
