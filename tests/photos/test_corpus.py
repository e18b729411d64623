"""Every odd file there is ends in a picture or a plain refusal, in time, in memory, and shows nothing but pixels."""

import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.photos.corpus import heics, jpegs, others, pngs, webps
from tests.photos.measuring import Cost, measured
from tests.photos.sending import Scene, blobs, lines, send

pytestmark = pytest.mark.slow

MODULES = [jpegs, pngs, webps, heics, others]
PLAIN = {"taken", "photo_type", "photo_unreadable", "photo_too_many_pixels"}
HIDDEN = [
    b"<script",
    b"<?php",
    b"PK\x03\x04",
    b"SECRET",
    b"Exif",
    b"HUAWEI",
    b"ftyp",
    b"ICC_PROFILE",
    b"Adobe",
]
# What ExifTool says of any JPEG of three bands, and of the file itself.
BASICS = {
    *("SourceFile", "ExifTool:ExifToolVersion", "Composite:ImageSize", "Composite:Megapixels"),
    *("File:FileType", "File:FileTypeExtension", "File:MIMEType", "File:ImageWidth", "File:ImageHeight"),
    *("File:EncodingProcess", "File:BitsPerSample", "File:ColorComponents", "File:YCbCrSubSampling"),
    *("JFIF:JFIFVersion", "JFIF:ResolutionUnit", "JFIF:XResolution", "JFIF:YResolution"),
}


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


@pytest.fixture(scope="module", params=MODULES, ids=name_of)
def tried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModuleType, dict[str, Cost], Path]:
    """Try every file of one kind in a child; gives the kind, the costs by name, and where the renditions are."""
    module: ModuleType = request.param
    folder = tmp_path_factory.mktemp("corpus")
    files = {name: make() for name, make in module.FILES.items()}
    return module, {cost.name: cost for cost in measured(files, folder)}, folder / "renditions"


def test_no_file_ends_otherwise_than_plainly_and_within_two_seconds_and_512_megabytes(
    tried: tuple[ModuleType, dict[str, Cost], Path],
) -> None:
    module, costs, _ = tried
    assert set(costs) == set(module.FILES)
    assert {name: cost.ended for name, cost in costs.items() if cost.ended not in PLAIN} == {}
    assert {name: costs[name].ended for name in module.TAKEN if costs[name].ended != "taken"} == {}
    assert [cost for cost in costs.values() if cost.seconds >= 2 or cost.megabytes >= 512] == []


@pytest.mark.exiftool
def test_exiftool_finds_nothing_in_any_rendition(tried: tuple[ModuleType, dict[str, Cost], Path]) -> None:
    module, _, folder = tried
    made = list(folder.iterdir())
    assert len(made) >= 2 * len(module.TAKEN)
    if made:
        assert found_by_exiftool(folder) <= BASICS
    for path in made:
        data = path.read_bytes()
        assert [secret for secret in HIDDEN if secret in data] == []


@pytest.mark.exiftool
def test_exiftool_would_find_what_originals_hold(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(jpegs.FILES["phone"]())
    found = found_by_exiftool(tmp_path) - BASICS
    assert {"EXIF:Make", "EXIF:GPSLatitude", "File:Comment", "EXIF:Orientation"} <= found


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_file_gets_a_plain_answer_over_http(scene: Scene, module: ModuleType) -> None:
    taken = 0
    for name, make in module.FILES.items():
        data = make()
        answer = send(scene.phone, scene.visit, data)
        said = (name, answer.status_code, answer.json)
        assert answer.status_code in {201, 415, 422}, said
        if answer.status_code != 201:
            assert name not in module.TAKEN, said
            assert answer.json["code"] in PLAIN, said
            assert answer.content_type == "application/problem+json"
            continue
        taken += 1
        # The child has shown the others; these hide something, so they go the whole way.
        for size in ("thumb", "screen") if any(secret in data for secret in HIDDEN[:4]) else ():
            shown = scene.phone.get(f"/photos/{answer.json['id']}", size=size)
            assert shown.status_code == 200, (name, shown.json)
            assert shown.content_type == "image/jpeg"
            assert shown.headers["X-Content-Type-Options"] == "nosniff"
            assert [secret for secret in HIDDEN if secret in shown.data] == [], name
    renditions = sum(1 for line in lines(scene.world, "photo.read"))
    assert taken <= len(blobs(scene.world)) <= taken + renditions


def found_by_exiftool(folder: Path) -> set[str]:
    """Names of everything that ExifTool finds in the files of a folder, unknown tags too, the file's own dates apart."""
    told = subprocess.run(
        ["exiftool", "-json", "-G0", "-a", "-u", "-U", "-ee", "--System:all", str(folder)],
        check=True,
        capture_output=True,
    )
    return {tag for one in json.loads(told.stdout) for tag in one}
