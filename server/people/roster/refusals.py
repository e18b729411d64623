"""Why a whole roster file is turned away, in sentences that say how to make it right."""

from typing import ClassVar

from server.errors import Refusal, TooLarge


class RosterUnreadable(Refusal):
    """The file is not a roster that can be read: another format, damaged, or made to do harm."""

    title: ClassVar[str] = "名册无法读取"
    detail = "这个文件无法读取，请用 Excel 或 WPS 打开后另存为 .xlsx 再上传。"


class RosterProtected(RosterUnreadable):
    """The file opens only with a password."""

    title = "名册有密码"
    detail = "这个文件设置了打开密码，请取消密码后另存再上传。"


class RosterSheetMissing(RosterUnreadable):
    """The workbook has no sheet of the name that was asked for."""

    title = "没有这个工作表"
    detail = "文件里没有指定的工作表，请检查工作表名称。"


class RosterHeaderMissing(RosterUnreadable):
    """No row could be recognised as a header."""

    title = "没有找到表头"
    detail = "没有找到表头，请确认表里有一行写着“姓名”“身份证号码”等列名，或下载模板填写。"


class RosterColumnsMissing(RosterUnreadable):
    """The header lacks columns without which no person can be entered."""

    title = "名册缺少必要的列"
    detail = "名册缺少必要的列，请补上后再上传。"


class RosterTooLarge(TooLarge):
    """The file has more bytes, rows or columns than are taken at once."""

    title = "名册太大"
    detail = "名册太大，请按村或按乡镇分成几个文件上传。"
