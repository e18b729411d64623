"""Draw a spot check again from what was published: python3 redraw.py proof.json frame.csv (docs/spot-checks.md)."""

import hashlib
import json
import sys
import uuid
from pathlib import Path


def redraw(seed: bytes, digest: bytes, text: str) -> list[tuple[str, str]]:
    lines = text.splitlines()
    head = {word: rest for word, _, rest in (line[2:].partition(" ") for line in lines if line[:1] == "#")}
    rows = [
        dict(zip(lines[len(head)].split(","), line.split(","), strict=True))
        for line in lines[len(head) + 1 :]
    ]
    rows.sort(key=lambda row: hashlib.sha256(seed + digest + uuid.UUID(row["visit_id"]).bytes).digest())
    chosen = {row["visit_id"]: "always" for row in rows if row["always"]}
    strata: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        if not row["always"]:
            strata.setdefault(tuple(row[by] for by in head["strata"].split()), []).append(row["visit_id"])
    for ids in strata.values():
        take = int(head["number"]) if "number" in head else -(-len(ids) * int(head["share"]) // 100)
        chosen.update(dict.fromkeys(ids[:take], "stratum"))
    for by in head["every"].split():
        served = {row[by] for row in rows if row["visit_id"] in chosen}
        for row in rows:
            if row[by] not in served:
                served.add(row[by])
                chosen[row["visit_id"]] = f"every_{by}"
    return [(row["visit_id"], chosen[row["visit_id"]]) for row in rows if row["visit_id"] in chosen]


proof, frame = json.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]).read_bytes()
seed, digest = bytes.fromhex(proof["seed"] or ""), hashlib.sha256(frame).digest()
if hashlib.sha256(seed + uuid.UUID(proof["plan"]["id"]).bytes).hexdigest() != proof["commitment"]:
    sys.exit("DIFFERENT: the seed is not the one that was committed to")
if digest.hex() != proof["frame_digest"] or f"# plan {proof['plan']['id']}\n".encode() not in frame:
    sys.exit("DIFFERENT: the frame is not the one that was frozen")
if redraw(seed, digest, frame.decode()) != [(one["visit_id"], one["why"]) for one in proof["sample"]]:
    sys.exit("DIFFERENT: the sample is not the one that seed and frame give")
print(f"THE SAME: {len(proof['sample'])} visits, drawn from frame {digest.hex()}")
