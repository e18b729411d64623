"""How the fields of forms are called, so that a refusal names the one that it speaks of."""

from collections.abc import Mapping
from typing import Final

from server.visits.answers import QUESTIONS

FIELDS: Final[Mapping[str, str]] = {
    "query": "查找内容",
    "category": "类别",
    "as_of": "日期",
    "cursor": "翻页标记",
    "action": "动作",
    "actor_id": "办理人或查看人编号",
    "always": "必查",
    "area_code": "辖区",
    "categories": "类别",
    "code": "问题代码",
    "commitment": "承诺值",
    "decision": "决定",
    "from": "从（日期）",
    "from_worker": "移交人",
    "method": "方式",
    "name": "姓名",
    "note": "情况说明",
    "notes": "备注",
    "number": "每层抽取几次",
    "occurred_at": "核查时间",
    "otp": "动态口令",
    "outcomes": "走访结果",
    "owner_id": "责任人",
    "password": "密码",
    "period": "月份",
    "person_id": "救助对象编号",
    "person_ids": "移交名单",
    "phone": "联系电话",
    "picked": "所选记录",
    "photo_ids": "照片",
    "reason": "原因",
    "recall": "是否记得来过",
    "recalled_on": "说是哪天来的",
    "rectify": "整改要求",
    "rectify.what": "整改要求",
    "result": "认定结果",
    "role": "岗位",
    "seed": "种子",
    "seq": "留痕序号",
    "share": "每层抽取百分之几",
    "spoke_to": "受访人",
    "state": "状态",
    "step": "操作",
    "strata": "分层",
    "subject_id": "事项编号",
    "subject_kind": "事项类别",
    "text": "情况说明",
    "to": "到（日期）",
    "to_worker": "接手人",
    "username": "用户名",
    "village": "村（社区）",
    "who_came": "说是谁来的",
    "worker_id": "人员",
    "worker_ids": "代理责任人",
}


def field_of(path: str) -> str:
    """Give what stands before a sentence about a field: its name and a colon, or nothing where it needs none."""
    question = QUESTIONS.get(path.removeprefix("answers.")) if path.startswith("answers.") else None
    name = question.label if question else FIELDS.get(path) or FIELDS.get(path.partition(".")[0])
    return f"{name}：" if name else ""
