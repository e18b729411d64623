# ruff: noqa: ISC004  (signatures of the RFC, two lines each)
"""Signatures and notes are verified as RFC 8032 and C2SP say, by the few lines that an inspector has at hand."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_verify import ed25519, notes

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
"""RFC 8032 §7.1: tests 1, 2, 3 and SHA(abc): public key, message, signature."""
SECRETS = st.binary(min_size=32, max_size=32)
FEW = settings(max_examples=25)


@pytest.mark.parametrize("number", range(len(RFC_8032)))
def test_the_rfcs_signatures_are_good_and_changed_ones_are_not(number: int) -> None:
    public, message, signature = (bytes.fromhex(text) for text in RFC_8032[number])
    assert ed25519.verify(public, message, signature)
    assert not ed25519.verify(public, message + b"x", signature)
    for place in (0, 31, 32, 63):
        broken = bytearray(signature)
        broken[place] ^= 1
        assert not ed25519.verify(public, message, bytes(broken))


@FEW
@given(SECRETS, st.binary(max_size=200), st.integers(0, 63), st.integers(1, 255))
def test_what_a_well_kept_library_signs_is_good_and_nothing_else(
    secret: bytes, message: bytes, place: int, change: int
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(secret)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = key.sign(message)
    assert ed25519.verify(public, message, signature)
    broken = bytearray(signature)
    broken[place] ^= change
    assert not ed25519.verify(public, message, bytes(broken))


def test_a_signature_with_another_scalar_of_the_same_remainder_is_refused() -> None:
    public, message, signature = (bytes.fromhex(text) for text in RFC_8032[1])
    scalar = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    assert not ed25519.verify(public, message, signature[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_or_signature_of_another_length_is_refused(length: int) -> None:
    assert not ed25519.verify(bytes(length), b"", bytes(64))
    assert not ed25519.verify(bytes(32), b"", bytes(length))
    assert not ed25519.verify(b"\xff" * 32, b"", bytes(64))


def test_a_note_of_the_specification_is_read() -> None:
    """The example key and note of golang.org/x/mod/sumdb/note."""
    key = notes.public_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    note = f"{text}\n\u2014 PeterNeumann {signature}\n"
    with pytest.raises(notes.Unusable, match="读不懂"):  # well signed, and no checkpoint
        notes.checkpoint(note, key)
    with pytest.raises(notes.Unusable, match="改动过"):
        notes.checkpoint(note.replace("problem is", "problem was"), key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a+b",
        "a+00000000+AAAA",
        "a+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "a+zz+===",
    ],
)
def test_what_is_no_public_key_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(notes.Unusable, match="公钥"):
        notes.public_key(text)


def test_the_verifier_needs_nothing_but_python() -> None:
    import ast

    import ledger_verify

    allowed = {
        *("argparse", "base64", "binascii", "collections", "dataclasses", "datetime", "hashlib", "json"),
        *("pathlib", "sys", "typing", "ledger_verify"),
    }
    folder = Path(ledger_verify.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path
