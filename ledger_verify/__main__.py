"""`python -m ledger_verify export|receipt|extends|payload …`: says in Chinese what holds and what was changed, and where.

Exit codes: 0 everything holds; 1 something was changed; 2 the command or a key or checkpoint cannot be used; 3 the file
is damaged or cut off, so that nothing can be said about the rest.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger_verify import exported, receipts
from ledger_verify.exported import Report
from ledger_verify.notes import MOST_BYTES, Checkpoint, PublicKey, Unusable, checkpoint, public_key

GOOD, CHANGED, UNUSABLE, DAMAGED = 0, 1, 2, 3
MOST_JSON = 50_000_000


def main(words: Sequence[str] | None = None) -> int:
    """Verify what the command line names; returns the exit code."""
    asked = _parser().parse_args(words)
    try:
        report: Report = asked.act(asked)
    except Unusable as why:
        _say(f"无法核验：{why}")
        return UNUSABLE
    except OSError as why:
        _say(f"无法核验：文件读不出来：{why.strerror}（{why.filename}）")
        return UNUSABLE
    return _told(report)


def _told(report: Report) -> int:
    for text in report.told:
        _say(text)
    for text in report.changed:
        _say(f"【被改动】{text}")
    if report.more:
        _say(f"【被改动】另有 {report.more} 处，没有一一列出。")
    for text in report.damaged:
        _say(f"【文件损坏】{text}")
    if report.damaged:
        _say("结论：文件不完整，不能据此下结论；请重新导出或重新拷贝后再核验。")
        return CHANGED if report.changed else DAMAGED
    if report.changed:
        _say(f"结论：核验不通过，共发现 {len(report.changed) + report.more} 处问题。")
        return CHANGED
    _say(f"结论：核验通过，共 {report.entries} 条，没有发现改动。")
    return GOOD


def _export(asked: argparse.Namespace) -> Report:
    key = _key(asked.key)
    held = [_checkpoint(path, key) for path in asked.checkpoint]
    if asked.file == "-":
        return exported.verify(sys.stdin.buffer, key, held)
    with Path(asked.file).open("rb") as file:
        return exported.verify(file, key, held)


def _receipt(asked: argparse.Namespace) -> Report:
    return receipts.receipt(_json(asked.file), _key(asked.key))


def _extends(asked: argparse.Namespace) -> Report:
    key = _key(asked.key)
    said = _json(asked.proof)
    proof = said.get("proof") if isinstance(said, dict) else None
    if not isinstance(proof, list):
        raise Unusable("证明读不懂：应为 GET /ledger/proofs/consistency 的回答。")
    return receipts.consistent(_checkpoint(asked.old, key), _checkpoint(asked.new, key), proof)


def _payload(asked: argparse.Namespace) -> Report:
    said = _json(asked.file)
    if not isinstance(said, dict):
        raise Unusable("披露的内容读不懂：文件损坏。")
    if asked.key is None:
        return receipts.payload(said.get("payload"), said.get("leaf"))
    whole = {
        "format": receipts.RECEIPT,
        "visit_id": "",
        "entries": [said],
        "checkpoint": said.get("checkpoint"),
    }
    report = receipts.receipt(whole, _key(asked.key))
    report.changed = [text for text in report.changed if "走访" not in text]
    return report


def _key(text: str) -> PublicKey:
    """Read a public key: the text itself, or the file that holds it."""
    if text.count("+") >= 2:
        return public_key(text)
    return public_key(_text(text))


def _checkpoint(path: str, key: PublicKey) -> Checkpoint:
    try:
        return checkpoint(_text(path), key)
    except Unusable as why:
        raise Unusable(f"{path}：{why}") from None


def _text(path: str) -> str:
    with Path(path).open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if not raw:
        raise Unusable(f"{path} 是空的。")
    try:
        if len(raw) > MOST_BYTES:
            raise ValueError
        return raw.decode()
    except ValueError:
        raise Unusable(f"{path} 不是文字文件，或太大。") from None


def _json(path: str) -> Any:
    with Path(path).open("rb") as file:
        raw = file.read(MOST_JSON + 1)
    if not raw:
        raise Unusable(f"{path} 是空的。")
    try:
        if len(raw) > MOST_JSON:
            raise ValueError
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Unusable(f"{path} 读不懂：文件损坏或不完整。") from None


def _say(text: str) -> None:
    # What a file says is shown, never obeyed by the terminal.
    shown = "".join(one if one.isprintable() else "�" for one in text)
    sys.stdout.buffer.write(shown.encode(errors="replace") + b"\n")
    sys.stdout.buffer.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ledger_verify", description="离线核验留痕：只需导出文件、检查点和公钥，不需要网络。"
    )
    kinds = parser.add_subparsers(required=True, metavar="export | receipt | extends | payload")
    one = kinds.add_parser("export", help="核验一份导出")
    one.add_argument("file", help="导出文件，- 为标准输入")
    one.add_argument("--key", required=True, help="公钥，或存有公钥的文件")
    one.add_argument("--checkpoint", required=True, action="append", help="自己保存的检查点文件；可多次给出")
    one.set_defaults(act=_export)
    one = kinds.add_parser("receipt", help="核验一份走访回执")
    one.add_argument("file", help="回执文件（JSON）")
    one.add_argument("--key", required=True, help="公钥，或存有公钥的文件")
    one.set_defaults(act=_receipt)
    one = kinds.add_parser("extends", help="核验较新的检查点是在较旧的之后追加而成")
    one.add_argument("old", help="较旧的检查点文件")
    one.add_argument("new", help="较新的检查点文件")
    one.add_argument("--proof", required=True, help="一致性证明（JSON）")
    one.add_argument("--key", required=True, help="公钥，或存有公钥的文件")
    one.set_defaults(act=_extends)
    one = kinds.add_parser("payload", help="核验一条披露的内容")
    one.add_argument("file", help="披露文件（JSON：leaf、payload，可带 proof 和 checkpoint）")
    one.add_argument("--key", help="公钥；给出时连同证明一起核验")
    one.set_defaults(act=_payload)
    return parser


def _run(words: list[str]) -> int:
    try:
        return main(words)
    except KeyboardInterrupt:
        _say("已中断，没有结论。")
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
