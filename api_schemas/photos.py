"""Photos on the wire (CONTRACT §5)."""

from marshmallow import fields

from api_schemas.paging import QueryWhole
from api_schemas.wire import Instant, Strict, TermField, Text, UuidField, Whole
from server.photos.terms import PhotoFormat, PhotoKind, Size

SHA256 = "^[0-9a-fA-F]{64}$"


class UploadIn(Strict):
    """The form fields beside the file."""

    photo_id = UuidField(required=True, metadata={"description": "照片编号，由手机生成"})
    kind = TermField(PhotoKind, load_default=None)
    taken_at = Instant(load_default=None, metadata={"description": "拍摄时间，不明可不填"})
    sha256 = Text(
        64, least=64, pattern=SHA256, load_default=None, metadata={"description": "文件的 SHA-256（可选）"}
    )


class UploadForm(UploadIn):
    """The whole form, for the OpenAPI file; the file itself is read from the stream."""

    file = fields.Raw(
        required=True,
        metadata={
            "type": "string",
            "format": "binary",
            "description": "照片：jpeg、png、webp 或 heic，至多 12 MiB",
        },
    )


class PhotoOut(Strict):
    """A stored photo: the server's own figures, and what its visit still owes."""

    id = UuidField(required=True)
    visit_id = UuidField(required=True)
    kind = TermField(PhotoKind, required=True)
    taken_at = Instant(required=True, allow_none=True)
    received_at = Instant(required=True)
    sha256 = Text(64, required=True)
    size = Whole(0, 2**31 - 1, required=True)
    format = TermField(PhotoFormat, required=True)
    width = Whole(1, 2**31 - 1, required=True)
    height = Whole(1, 2**31 - 1, required=True)
    photo_debt = fields.List(UuidField(), required=True)


class PhotoQuery(Strict):
    """How large, and (in signed links) for whom and until when."""

    size = TermField(Size, load_default=Size.SCREEN)
    worker = UuidField(load_default=None, metadata={"description": "签名链接：为谁签发"})
    expires = QueryWhole(
        0, 2**40, load_default=None, metadata={"description": "签名链接：到期时间（Unix 秒）"}
    )
    signature = Text(
        64, least=64, pattern=SHA256, load_default=None, metadata={"description": "签名链接：签名"}
    )


class LinkQuery(Strict):
    """How large the linked picture shall be."""

    size = TermField(Size, load_default=Size.SCREEN)


class LinkOut(Strict):
    """A link for an `<img>`, good for ten minutes."""

    url = Text(500, required=True)
    expires_at = Instant(required=True)
