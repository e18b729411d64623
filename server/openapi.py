"""How the API describes itself: OpenAPI 3.1, made by flask-smorest from the schemas."""

OPTIONS = {
    "API_TITLE": "探访：社会救助对象走访记录接口",
    "API_VERSION": "1",
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {
        "info": {
            "description": "乡镇（街道）社会救助对象走访与一人一档。错误一律为 RFC 9457 问题文档，"
            "`code` 稳定不变，`detail` 可直接给用户看。每个答复都带 `X-Request-Id`，请求也可自带。"
            "列表用 `limit` 和 `cursor` 翻页。时间一律带时区、到秒；金额是以元为单位的字符串。",
            "license": {"name": "MulanPSL-2.0", "identifier": "MulanPSL-2.0"},
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    },
}
