"""The words of regions."""

from server.terms import Term


class Level(Term):
    """How high a region stands (行政层级)."""

    COUNTY = "county", "县（市、区）", "GB/T 2260"
    TOWNSHIP = "township", "乡镇（街道）", "GB/T 10114"
    VILLAGE = "village", "村（社区）", "统计用区划代码"


CODE_LENGTH = {Level.COUNTY: 6, Level.TOWNSHIP: 9, Level.VILLAGE: 12}


def just_after(code: str) -> str:
    """Give the first code that sorts behind every region inside `code`: codes inside are `code <= c < just_after`."""
    return code[:-1] + chr(ord(code[-1]) + 1)
