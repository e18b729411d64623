"""Names for people who do not exist."""

from random import Random  # noqa: TID251  (lent with its seed)

SURNAMES = "王李张刘陈杨黄吴赵周徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚钟汪方石熊金陆孔"
OLD_MEN = [
    "国",
    "建",
    "德",
    "福",
    "金",
    "发",
    "明",
    "志",
    "永",
    "长",
    "顺",
    "根",
    "春",
    "友",
    "光",
    "贵",
    "荣",
    "祥",
]
OLD_WOMEN = [
    "秀",
    "桂",
    "玉",
    "兰",
    "英",
    "凤",
    "翠",
    "菊",
    "美",
    "淑",
    "素",
    "珍",
    "梅",
    "巧",
    "香",
    "莲",
    "云",
    "银",
]
YOUNG_MEN = [
    "浩",
    "宇",
    "杰",
    "俊",
    "涛",
    "磊",
    "强",
    "鹏",
    "伟",
    "凯",
    "晨",
    "轩",
    "博",
    "睿",
    "翔",
    "超",
    "亮",
    "飞",
]
YOUNG_WOMEN = [
    "婷",
    "雪",
    "倩",
    "欣",
    "怡",
    "佳",
    "敏",
    "静",
    "萍",
    "丽",
    "娟",
    "慧",
    "琳",
    "颖",
    "悦",
    "蕾",
    "霞",
    "燕",
]
OLD = 1972


def surname(chance: Random) -> str:
    """Draw a surname."""
    return chance.choice(SURNAMES)


def given_name(chance: Random, *, male: bool, birth_year: int) -> str:
    """Draw a given name that fits sex and age."""
    old = birth_year < OLD
    letters = (OLD_MEN if old else YOUNG_MEN) if male else (OLD_WOMEN if old else YOUNG_WOMEN)
    return "".join(chance.sample(letters, 1 if chance.random() < 0.15 else 2))
