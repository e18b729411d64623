"""Verifies a worker's receipt, one disclosed payload, and that one checkpoint goes on from another."""

import json
from typing import Any

from ledger_verify.exported import Report
from ledger_verify.hashing import commitment_of, extends, is_leaf, leaf_hash, root_of_inclusion
from ledger_verify.notes import Checkpoint, PublicKey, Unusable, checkpoint

RECEIPT = "tanfang-receipt/1"


def receipt(said: Any, key: PublicKey) -> Report:
    """Verify a receipt: each entry is in the tree that its checkpoint signs, and each payload is what was committed to."""
    if not isinstance(said, dict) or said.get("format") != RECEIPT:
        raise Unusable("这不是走访回执，或由更新的版本出具。")
    report = Report()
    try:
        signed = checkpoint(said["checkpoint"], key)
        visit, entries = str(said["visit_id"]), list(said["entries"])
        recorded = [_entry(entry, signed, visit, report) for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unusable("回执缺少内容：文件损坏。") from None
    report.entries = len(entries)
    if not any(recorded):
        report.change("回执里没有这次走访的填报。")
    report.told.append(f"第 {signed.number} 号检查点，{signed.size} 条，签于 {signed.at}。")
    return report


def _entry(entry: dict[str, Any], signed: Checkpoint, visit: str, report: Report) -> bool:
    leaf, payload = entry["leaf"], entry["payload"]
    if not is_leaf(leaf):
        raise ValueError
    seq = leaf["seq"]
    proof = [bytes.fromhex(text) for text in entry["proof"]]
    if root_of_inclusion(leaf_hash(leaf), seq - 1, signed.size, proof) != signed.root:
        report.change(f"第 {seq} 条（{leaf['action']}）不在检查点签名的留痕里：被改动过。")
    _payload(leaf, payload, report)
    kind, _, subject = leaf["subject"].partition(":")
    if kind == "visit" and subject != visit:
        report.change(f"第 {seq} 条不是关于这次走访的。")
    if kind == "photo" and payload is not None and json.loads(payload[25:]).get("visit") != visit:
        report.change(f"第 {seq} 条的照片不是这次走访的。")
    report.told.append(f"第 {seq} 条 {leaf['at']} {leaf['action']}，办理人 {leaf['actor']}。")
    return bool(leaf["action"] == "visit.recorded" and subject == visit)


def payload(said: Any, leaf: Any) -> Report:
    """Verify that a disclosed payload is what its entry committed to."""
    report = Report(entries=1)
    if not isinstance(said, str) or not is_leaf(leaf):
        raise Unusable("披露的内容读不懂：文件损坏。")
    _payload(leaf, said, report)
    return report


def _payload(leaf: dict[str, Any], text: Any, report: Report) -> None:
    if text is None:
        report.told.append(f"第 {leaf['seq']} 条的内容没有随附（密钥已依法销毁）。")
    elif commitment_of(text) != leaf["commitment"]:
        report.change(f"第 {leaf['seq']} 条附带的内容与承诺不符：被改动过。")


def consistent(old: Checkpoint, new: Checkpoint, proof: list[str]) -> Report:
    """Verify that the ledger of one checkpoint goes on from that of an older one."""
    report = Report(entries=new.size)
    try:
        path = [bytes.fromhex(text) for text in proof]
    except (TypeError, ValueError):
        raise Unusable("证明读不懂：文件损坏。") from None
    if old.size > new.size:
        report.change(f"较新的检查点只有 {new.size} 条，较旧的有 {old.size} 条：被截断或回滚。")
    elif not extends(old.size, new.size, (old.root, new.root), path):
        report.change(
            f"第 {new.number} 号检查点不是在第 {old.number} 号之后追加而成：前 {old.size} 条中有内容被改动过。"
        )
    return report
