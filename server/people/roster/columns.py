"""Headers of rosters: every spelling that was met, in any order, over one line or several, leads to one field."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from server.people.roster.cells import text_of
from server.people.roster.terms import Column, Field, Header

_NOISE = re.compile(r"[^0-9A-Za-z\u4e00-\u9fff]+")
_MOST_LINES = 3
_FEWEST_FIELDS = 2
_LONGEST_HEADER = 40

ALIASES: Mapping[Field, str] = {
    Field.NAME: "姓名 救助对象姓名 对象姓名 保障对象姓名 低保对象姓名 特困人员姓名 特困对象姓名 供养对象姓名 人员姓名 成员姓名 家庭成员姓名 "
    "老人姓名 儿童姓名 申请人姓名 受助人姓名 救助对象 名字 保障对象 供养对象 特困人员 被探视人姓名 被照料人姓名",
    Field.ID_NUMBER: "身份证号码 身份证号 身份证 公民身份号码 公民身份证号码 公民身份证号 居民身份证号码 居民身份证号 居民身份证 证件号码 证件号 "
    "身份号码 身份证件号码 救助对象身份证号 救助对象身份证号码 救助对象身份证件号码 对象身份证号 对象身份证号码 保障对象身份证号 保障对象身份证号码 本人身份证号 本人身份证号码 "
    "成员身份证号 成员身份证号码 家庭成员身份证号 家庭成员身份证号码 姓名身份证号 姓名身份证号码",
    Field.SEX: "性别 男女 对象性别",
    Field.BIRTH_ON: "出生日期 出生年月 出生年月日 出生时间 生日",
    Field.TOWNSHIP: "乡镇街道 乡镇 街道 镇 乡 镇街 镇街道 所属乡镇 所属街道 所属乡镇街道 所在乡镇 所在乡镇街道 街道乡镇 乡镇名称 乡街道",
    Field.VILLAGE: "村社区 村居 村 社区 所属村 所属社区 所属村社区 所属村居 所在村 所在村社区 所在村居 行政村 村名 村委会 村居委会 村名称 社区村 "
    "村居名称 行政村社区 村居社区 村民委员会 村社区名称 村居民委员会 村居委员会 村级",
    Field.ADDRESS: "家庭住址 详细地址 住址 地址 家庭地址 居住地址 现住址 现居住地址 常住地址 户籍地址 居住地 家庭详细地址 家庭详细住址 详细住址 实际居住地 "
    "居住详细地址 实际居住地址",
    Field.PHONE: "联系电话 电话 手机号 手机号码 手机 电话号码 联系方式 本人电话 本人联系电话 联系号码 对象联系电话",
    Field.CATEGORY: "救助类别 对象类别 保障类别 人员类别 救助类型 对象类型 保障类型 人员类型 类别 救助种类 困难类型 困难类别 低收入类型 低收入人口类型 "
    "享受救助类别 社会救助类别 特困类型 特困类别 救助项目 人员身份类别 低收入人口类别",
    Field.SUPPORT_MODE: "供养方式 供养类型 供养类别 供养形式 分散集中 集中分散 分散或集中 供养分散集中 供养方式分散集中 供养方式集中分散",
    Field.RESIDENCE: "城乡 城乡类别 城乡类型 城市农村 农村城市 城市或农村 户籍类别 户口性质 户籍性质 户口类型 户籍类型 城乡属性 城乡城市农村",
    Field.DIBAO_CLASS: "低保分类 低保类别 低保档次 低保类型 分类 ABC类 ABC类别 分类类别 施保类别 分类施保类别 低保ABC类 保障档次 低保等级",
    Field.CARE_LEVEL: "自理能力 护理等级 生活自理能力 自理情况 自理状况 自理等级 护理级别 照料等级 照料护理等级 照料护理档次 护理档次 自理能力等级 生活自理情况 "
    "自理能力评估结果 自理能力评估 失能等级 生活自理能力等级 照护等级 生活自理状况",
    Field.STARTED_ON: "享受时间 纳入时间 批准日期 起始日期 批准时间 享受日期 纳入日期 开始日期 开始时间 起始时间 起始年月 享受年月 享受起始时间 审批时间 审批日期 "
    "救助开始时间 保障开始时间 享受待遇时间 纳入年月 认定时间 认定日期 确认时间 批准年月 纳入保障时间 享受开始时间 救助起始时间 确认日期 保障起始时间",
    Field.HOUSEHOLD_NO: "户编号 户号 家庭编号 家庭编码 户编码 户序号 家庭号 户籍编号 户籍号",
    Field.HEAD_NAME: "户主姓名 户主 户主名称 户主名字 申请户主",
    Field.HEAD_ID_NUMBER: "户主身份证号码 户主身份证号 户主身份证 户主公民身份号码 户主证件号码 户主身份号码 户主证件号",
    Field.RELATION_TO_HEAD: "与户主关系 户主关系 家庭关系 与户主的关系 与申请人关系 同户主关系 与户主之间关系 与申请人的关系",
    Field.AMOUNT: "月保障金额 保障金额 月保障金 保障金 月补助金额 补助金额 月救助金额 救助金额 金额 发放金额 月发放金额 补差金额 月补差 月人均补差 供养金 月供养金 供养金额 "
    "享受金额 救助金 低保金 月低保金 基本生活费",
    Field.BANK_NAME: "开户行 开户银行 银行 银行名称 开户行名称 发放银行",
    Field.BANK_ACCOUNT: "银行账号 一卡通账号 银行卡号 账号 一卡通号 一卡通 社保卡号 社会保障卡号 银行帐号 一卡通帐号 卡号 开户账号 开户行账号 存折账号 银行账户 打卡账号 "
    "一卡通卡号 社保卡账号 帐号 发放账号 惠农一卡通账号 社会保障卡账号",
    Field.DISABILITY_TYPE: "残疾类别 残疾类型 残疾种类 残疾情况 残疾类别等级 残疾类型等级 残疾类别及等级 残疾 残疾类别和等级 残疾等级类别 残疾类型及等级 残疾等级及类别",
    Field.DISABILITY_GRADE: "残疾等级 残疾级别 残疾程度",
    Field.HEALTH: "健康状况 身体状况 健康情况 身体情况 患病情况 疾病情况 患病名称 病种 身体健康状况",
    Field.REMARKS: "备注 说明 备注说明 其他说明 其他情况 备考",
    Field.CAREGIVER_NAME: "照料人姓名 照料人 照料服务人 照料服务人姓名 照护人 照护人姓名 护理人 护理人姓名 监护人 监护人姓名 照料人员 照料人员姓名 照料护理人 "
    "照料护理人姓名 委托照料人 委托照料人姓名 照料服务人员 照料服务人员姓名 照护服务人 照护服务人姓名",
    Field.CAREGIVER_PHONE: "照料人电话 照料人联系电话 照料服务人电话 照料服务人联系电话 照护人电话 照护人联系电话 护理人电话 护理人联系电话 监护人电话 监护人联系电话 "
    "照料人手机号 照料人员电话 照料人员联系电话 照料护理人电话 照料护理人联系电话 照料人手机 照料人联系方式 照料服务人员联系电话 照料服务人员电话 照料人手机号码 照料人电话号码 "
    "监护人联系方式 照护人联系方式 护理人联系方式 委托照料人电话 委托照料人联系电话",
    Field.CAREGIVER_RELATION: "照料人与对象关系 与照料人关系 照料人关系 照料人与被照料人关系 与被照料人关系 照料服务人关系 照料服务人与对象关系 护理人关系 监护人关系 "
    "与监护人关系 与特困人员关系 与对象关系 与救助对象关系 照料人与特困人员关系 与照料服务人关系 与供养对象关系 照护人关系 与照护人关系 与护理人关系 照料人与特困对象关系 "
    "照料人与对象的关系 照料人与供养对象关系 照料人与照料对象关系 照料人与对象关系 照料人员关系 照料护理人关系",
    Field.VISITOR_NAME: "走访责任人 探视责任人 包保责任人 走访人 探视人 探访责任人 探访人 包保人 包保干部 联系人 责任人 帮扶责任人 走访人姓名 探视责任人姓名 走访责任人姓名 "
    "包保责任人姓名 帮扶干部 联系干部 包联干部 探访责任人姓名 探视人姓名 走访人员 探视走访责任人 责任人姓名",
    Field.LEGACY_NO: "档案编号 档案号 卷号 案卷号 档号",
    Field.IGNORED: "序号 编号 错误说明 年龄 民族 原行号 行号 NO",
}

_FIELD_OF = {alias.upper(): field for field, aliases in ALIASES.items() for alias in aliases.split()}
# What people put behind or in brackets after a header without changing what it means.
_TRIMMINGS = re.compile(r"必填|选填|可不填|文本格式|元每月|元月|单位元|万?元|岁|填写|请填|下拉选择")

# A column of these two names means the person, if there is no better column.
_STAND_IN = {Field.NAME: Field.HEAD_NAME, Field.ID_NUMBER: Field.HEAD_ID_NUMBER}


def key_of(header: str) -> str:
    """Give what of a header counts for matching: letters, digits and characters, without spaces and brackets."""
    return _NOISE.sub("", text_of(header)).upper()


def field_of(header: str) -> Field | None:
    """Find the field that a header names, also with an explanation in brackets behind it."""
    key = key_of(header)
    if not key:
        return None
    bare = key_of(re.split(r"[(（\[【:：]", header, maxsplit=1)[0])
    return _FIELD_OF.get(key) or _FIELD_OF.get(_TRIMMINGS.sub("", key)) or _FIELD_OF.get(bare)


def letter_of(index: int) -> str:
    """Give the letters by which Excel names the column at a position counted from 0."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def find_header(rows: Sequence[Sequence[str]]) -> Header | None:
    """Find the header among the first rows of a sheet, over at most three lines; titles above are passed over.

    `rows` are texts, with the value of merged cells repeated in each of them. The earliest line that names a person
    and something else begins it; further lines belong to it as long as they add fields and hold no digits.
    """
    for start, row in enumerate(rows):
        best: Header | None = None
        for count in range(1, _MOST_LINES + 1):
            lines = rows[start : start + count]
            if len(lines) < count or (count > 1 and not _may_continue(lines[-1])):
                break
            header = _header(start, lines)
            if best is None or _worth(header) > _worth(best):
                best = header
        if best is not None and _is_header(best) and not _is_title(row):
            return best
    return None


def _is_title(row: Sequence[str]) -> bool:
    return len({text for text in row if text}) < _FEWEST_FIELDS


def _may_continue(row: Sequence[str]) -> bool:
    texts = [text for text in row if text]
    return bool(texts) and not any(re.search(r"\d{4}", text) for text in texts)


def _worth(header: Header) -> int:
    return len({column.field for column in header.matched} - {Field.IGNORED})


def _is_header(header: Header) -> bool:
    fields = {column.field for column in header.matched}
    return Field.NAME in fields and len(fields - {Field.IGNORED}) >= _FEWEST_FIELDS


def _header(start: int, lines: Sequence[Sequence[str]]) -> Header:
    width = max(len(line) for line in lines)
    padded = [[*line, *[""] * (width - len(line))] for line in lines]
    for upper, lower in pairwise(padded):
        _spread(upper, lower)
    headers = [_joined(line[index] for line in padded) for index in range(width)]
    fields = [_field_of_parts(parts) for parts in headers]
    for wanted, stand_in in _STAND_IN.items():
        if wanted not in fields and stand_in in fields:
            fields[fields.index(stand_in)] = wanted
    columns = []
    seen: set[Field] = set()
    for index, (parts, found) in enumerate(zip(headers, fields, strict=True)):
        repeats = found in seen and found is not Field.IGNORED
        if found is not None:
            seen.add(found)
        columns.append(
            Column(
                index, letter_of(index), "".join(parts)[:_LONGEST_HEADER], None if repeats else found, repeats
            )
        )
    while columns and not columns[-1].header:
        columns.pop()
    return Header(start + 1, start + len(lines), tuple(columns))


def _spread(upper: list[str], lower: Sequence[str]) -> None:
    """Repeat a group's title over the columns below it, for formats that do not tell which cells are merged."""
    for index in range(1, len(upper)):
        if not upper[index] and lower[index] and lower[index - 1] and upper[index - 1] != lower[index - 1]:
            upper[index] = upper[index - 1]


def _joined(parts: Iterable[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for part in parts:
        if part and part not in kept:
            kept.append(part)
    return tuple(kept)


def _field_of_parts(parts: tuple[str, ...]) -> Field | None:
    """Match the joined lines first (照料人 + 电话), then the lowest line alone (救助情况 + 类别), then the upper ones."""
    if not parts:
        return None
    whole = field_of("".join(parts))
    if whole is not None or len(parts) == 1:
        return whole
    lowest = field_of("".join(parts[1:]))
    if lowest in {Field.NAME, Field.PHONE, Field.ID_NUMBER} and not _about_the_person(parts[0]):
        return None
    return lowest or field_of(parts[0])


def _about_the_person(group: str) -> bool:
    """Tell whether 姓名 or 电话 under this group means the assisted person and not somebody else's."""
    return re.search(
        r"对象|本人|基本|个人|人员信息|成员|家庭|特困|低保|老人|儿童|申请人|救助", group
    ) is not None and not re.search(r"照料|监护|护理|责任|联系人|干部|走访|探视", group)
