"""Reading a BPMN file that anybody may have written."""

from __future__ import annotations

import re

from lxml import etree

from ...errors import Malformed, TooLarge
from ...limits import Limits
from .words import is_true, qualified

DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)")
# In these a sign of ASCII is itself; in others, such as UTF-7, text can look like something else before it is read.
USUAL = re.compile(
    rb"utf-?(8|16|16le|16be|32)|(us-)?ascii|iso[-_]8859-\d+|latin-?1|windows-125\d|cp(125\d|93[26]|949|950)|"
    rb"gb(2312|k|18030)|big5(-hkscs)?|euc-(jp|kr|cn|tw)|shift[-_]jis|sjis|koi8-[ru]",
    re.IGNORECASE,
)
_ONLY_NAMES = (etree.ErrorTypes.WAR_NS_URI, etree.ErrorTypes.WAR_NS_URI_RELATIVE)


def read_xml(source: bytes, *, limits: Limits, name: str | None = None) -> etree._Element:
    """Parse ``source`` into its root element; nothing outside these bytes is ever read.

    The encoding is the one that the byte order mark or the XML declaration names (XML 1.0, 4.3.3), UTF-8 without
    either. Raises TooLarge over ``limits.model_size`` (bytes), ``limits.model_depth`` (nested elements),
    ``limits.model_elements`` or ``limits.model_attributes`` (of one element); Malformed, with the line, when it is
    no well-formed XML, brings a document type declaration or is in an unusual encoding; TypeError for text.
    """
    if not isinstance(source, bytes):
        raise TypeError(f"read_xml takes bytes, not {type(source).__name__}: encode the text first.")
    place = f"The file {name!r}" if name else "The file"
    if len(source) > limits.model_size:
        raise TooLarge(
            f"{place} has {len(source)} bytes, and model_size allows {limits.model_size}: split the model.",
            limit="model_size",
        )
    declared = DECLARED.match(source)
    if declared is not None and not USUAL.fullmatch(declared[1]):
        encoding = declared[1].decode("ascii")
        raise Malformed(f"{place} is in the encoding {encoding[:40]!r}, which is not read here: save it in UTF-8.")
    # A parser belongs to one thread at a time, so each call has its own.
    try:
        root = etree.fromstring(source, _parser())
    except etree.XMLSyntaxError as error:
        spared = _read_past_namespaces(source, error)
        if spared is not None:
            return _bounded(spared, place, limits)
        if "Excessive depth" in str(error):
            raise _too_deep(place, limits) from None
        # libxml2 ends some of its sentences with a line break, and lxml puts the position after it.
        reason = (error.msg or "no element found").split(", line ")[0].strip().rstrip(".")
        raise Malformed(f"{place} is not well-formed XML at line {error.lineno or 1}: {reason}.") from None
    return _bounded(root, place, limits)


def _read_past_namespaces(source: bytes, error: etree.XMLSyntaxError) -> etree._Element | None:
    """The file, where all that is wrong is how a namespace is called.

    XML names are well-formed whatever URI a prefix stands for (Namespaces in XML 1.0, 2.1: one that is no legal URI
    reference is deprecated, not an error); libxml2 gives up at a space in it.
    """
    if not any(entry.type in _ONLY_NAMES for entry in error.error_log):
        return None
    parser = _parser(recover=True)
    try:
        root = etree.fromstring(source, parser)
    except etree.XMLSyntaxError:
        # The log may tell of another file that this thread has read: for an empty one libxml2 writes no line.
        return None
    return root if all(entry.type in _ONLY_NAMES for entry in parser.error_log) else None


def _bounded(root: etree._Element, place: str, limits: Limits) -> etree._Element:
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise Malformed(f"{place} has a document type declaration: remove the <!DOCTYPE ...>, BPMN needs none.")
    if _is_deeper(root, limits.model_depth):
        raise _too_deep(place, limits)
    _refuse_crowds(root, place, limits)
    _name_handlers(root)
    return root


def _name_handlers(root: etree._Element) -> None:
    """Give event sub-processes without an id one by their place: they run, though nothing refers to them."""
    nameless = [
        each
        for each in root.iter(qualified("subProcess"))
        if each.get("id") is None and is_true(each, "triggeredByEvent")
    ]
    taken = {each.get("id") for each in root.iter()} if nameless else set()
    for number, each in enumerate(nameless, 1):
        name = f"eventSubProcess{number}"
        while name in taken:
            name += "_"
        each.set("id", name)


def _parser(*, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover)


def _refuse_crowds(root: etree._Element, place: str, limits: Limits) -> None:
    # Before anything else looks at it: the checks cost with the number of elements, and some more than that.
    for count, element in enumerate(root.iter(), 1):
        if count > limits.model_elements:
            raise TooLarge(
                f"{place} has more elements than the {limits.model_elements} that model_elements allows: split it.",
                limit="model_elements",
            )
        if len(element.attrib) > limits.model_attributes:
            raise TooLarge(
                f"{place} has an element with {len(element.attrib)} attributes at line {element.sourceline}, and "
                f"model_attributes allows {limits.model_attributes}: remove some.",
                limit="model_attributes",
            )


def _too_deep(place: str, limits: Limits) -> TooLarge:
    return TooLarge(
        f"{place} nests elements deeper than the {limits.model_depth} levels that model_depth allows: split the model.",
        limit="model_depth",
    )


def _is_deeper(root: etree._Element, depth: int) -> bool:
    level = [root]
    for _ in range(depth):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True
