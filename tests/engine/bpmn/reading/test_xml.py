"""Reading of files that anybody may have written."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverstone.engine.bpmn.reading.xml import read_xml
from riverstone.engine.errors import Malformed, TooLarge
from riverstone.engine.limits import Limits

LIMITS = Limits(model_size=20_000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_file_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    source = f'<?xml version="1.0" encoding="{declared}"?><a name="Prüfung"/>'.encode(encoding)
    assert read_xml(source, limits=LIMITS).get("name") == "Prüfung"


def test_what_is_not_well_formed_is_refused_with_the_line() -> None:
    with pytest.raises(Malformed, match=r"The file 'order\.bpmn' is not well-formed XML at line 3"):
        read_xml(b"<a>\n<b>\n</a>", limits=LIMITS, name="order.bpmn")


@pytest.mark.parametrize("source", [b"", b"   ", b"<", b"\x00", b"plain text", b"\xff\xfe\x00", b"<a>&unknown;</a>"])
def test_bytes_that_are_no_xml_are_malformed(source: bytes) -> None:
    with pytest.raises(Malformed, match="not well-formed XML at line 1"):
        read_xml(source, limits=LIMITS)


@pytest.mark.parametrize(
    "declaration",
    [
        b"<!DOCTYPE a>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        b'<!DOCTYPE a [<!ENTITY b "c">]>',
        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:1/x.dtd"> %b;]>',
    ],
)
def test_a_document_type_declaration_is_refused(declaration: bytes) -> None:
    with pytest.raises(Malformed):
        read_xml(declaration + b"<a/>", limits=LIMITS)


def test_entities_that_multiply_end_at_once() -> None:
    entities = b'<!ENTITY a "' + b"x" * 100 + b'">'
    for before, after in zip(b"abcdefgh", b"bcdefghi", strict=True):
        entities += b'<!ENTITY %c "%s">' % (after, b"&%c;" % before * 20)
    with pytest.raises(Malformed):
        read_xml(b"<!DOCTYPE a [" + entities + b']><a b="&i;"/>', limits=LIMITS)


def test_a_file_over_the_size_is_too_large_and_one_of_the_size_is_not() -> None:
    read_xml(b"<a>" + b" " * 13 + b"</a>", limits=Limits(model_size=20))
    with pytest.raises(TooLarge, match="has 21 bytes, and model_size allows 20") as caught:
        read_xml(b"<a>" + b" " * 14 + b"</a>", limits=Limits(model_size=20))
    assert caught.value.limit == "model_size"


@pytest.mark.parametrize(("depth", "allowed"), [(9, True), (10, True), (11, False), (300, False)])
def test_elements_nest_as_deep_as_the_limit_says(depth: int, allowed: bool) -> None:
    source = b"<a>" * depth + b"</a>" * depth
    if allowed:
        read_xml(source, limits=Limits(model_depth=10))
        return
    with pytest.raises(TooLarge, match="deeper than the 10 levels") as caught:
        read_xml(source, limits=Limits(model_depth=10))
    assert caught.value.limit == "model_depth"


def test_text_is_not_taken_since_its_declaration_may_lie() -> None:
    with pytest.raises(TypeError, match="encode the text"):
        read_xml("<a/>", limits=LIMITS)  # type: ignore[arg-type]


_PIECES = st.sampled_from(
    [
        b"<a>",
        b"</a>",
        b"<a b='",
        b"'",
        b'"',
        b"<!DOCTYPE a>",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"&",
        b"&#0;",
        b"\xfe\xff",
    ]
)


@given(st.lists(st.one_of(st.binary(max_size=20), _PIECES), max_size=30).map(b"".join))
def test_any_bytes_end_in_an_element_or_in_one_of_two_errors(source: bytes) -> None:
    with contextlib.suppress(Malformed, TooLarge):
        assert read_xml(source, limits=LIMITS).tag


@pytest.mark.parametrize("name", ["http://a.example/Initial Import/Process", "not a uri", "%zz"])
def test_a_namespace_may_be_called_anything(name: str) -> None:
    """Namespaces in XML 1.0, 2.1: what is no legal reference is deprecated, and no fault of well-formedness."""
    root = read_xml(f'<a xmlns:ibm="{name}"><ibm:b/></a>'.encode(), limits=Limits())

    assert root[0].tag == f"{{{name}}}b"


@pytest.mark.parametrize("rest", ["<b>", "<b></c>", "&nope;", "<x:b/>"])
def test_what_is_wrong_beside_such_a_name_is_refused(rest: str) -> None:
    with pytest.raises(Malformed):
        read_xml(f'<a xmlns:ibm="http://a.example/Initial Import">{rest}</a>'.encode(), limits=Limits())
