"""From DMN files (1.1 to 1.5) to elements that can be evaluated; what cannot be is told element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml import etree

from ..findings import Finding
from ..language.compiler import Compiler
from ..language.feel import closures
from ..language.feel.expressions import Tests, compile_tests
from ..language.feel.reading.names import DeclaredNames, Scope, names_of
from ..language.feel.values.types import ANY
from .boxed import BoxedExpressions, expression_in, typed
from .elements import DecisionElement, Element, InputData, Knowledge, Requirement, Service
from .faults import Sources, Wrongs, drawn, local
from .item_definitions import ItemDefinitions
from .text_reader import within

_NAMESPACES = ("http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")
_ZEEBE = "http://camunda.org/schema/zeebe/1.0"
_CAMUNDA = "http://camunda.org/schema/1.0/dmn"
_PLATFORM = "{http://camunda.org/schema/modeler/1.0}executionPlatform"
_LONGEST_ID = 200
_KINDS = ("inputData", "decision", "businessKnowledgeModel", "decisionService")


def is_dmn(root: etree._Element) -> bool:
    """Whether a file holds decisions and not processes."""
    return isinstance(root.tag, str) and root.tag.startswith(tuple(f"{{{each}" for each in _NAMESPACES))


class DecisionFile:
    """One file: its elements by id, joined with those of the files that it imports."""

    def __init__(self, root: etree._Element, compiler: Compiler, sources: Sources | None) -> None:
        self.root = root
        self.namespace = root.get("namespace", "")
        self.name = root.get("name", "")
        self.compiler = compiler
        self.faults: dict[str, Wrongs] = {}
        self.general = Wrongs(f"The file of decisions {self.name[:80]!r}", sources)
        self._sources = sources
        self.imports: dict[str, DecisionFile] = {}
        self._prefixes: dict[str, str] = {}
        """The first name under which each namespace is imported."""
        self.members = DeclaredNames(_member_names(root))
        is_camunda = _CAMUNDA in root.nsmap.values() and "Cloud" not in root.get(_PLATFORM, "")
        self.types = ItemDefinitions(root, self._compile_tests, self.general, is_camunda=is_camunda)
        self.boxed = BoxedExpressions(compiler, self.types, self.members)
        self.elements: dict[str, Element] = {}
        self._xml: dict[str, etree._Element] = {}
        for kind in _KINDS:
            for each in root.iterdescendants(f"{{*}}{kind}"):
                self._declare(kind, each)

    def _compile_tests(self, text: str) -> Tests:
        return compile_tests(text, limits=self.compiler.limits, scope=names_of(()))

    def _declare(self, kind: str, xml: etree._Element) -> None:
        if xml.getparent() is not self.root:
            return
        name = xml.get("name", "")
        # Ids are optional (DMN 1.5, 6.3.1); without one the name has to do.
        element_id = xml.get("id") or name
        if not element_id or element_id in self.elements or len(element_id) > _LONGEST_ID:
            why = "has neither id nor name" if not element_id else "has an id that is used twice or too long"
            self.general.wrong("decision-id", xml, f"the {kind} {name[:80]!r} {why} ({element_id[:80]!r}): change it.")
            return
        variable = xml.find("{*}variable")
        called = (None if variable is None else variable.get("name")) or name or element_id
        classes = {
            "inputData": InputData,
            "decision": DecisionElement,
            "businessKnowledgeModel": Knowledge,
            "decisionService": Service,
        }
        made = classes[kind](id=element_id, name=called, version_tag=_version_tag(xml))
        if isinstance(made, DecisionElement):
            made.aliases = [each for each in (name, element_id) if each and each != called]
            outputs = xml.iterfind("{*}decisionTable/{*}output")
            made.output_names = [each.get("name", "") for each in outputs if each.get("name")]
        self.elements[element_id] = made
        self._xml[element_id] = xml
        self.faults[element_id] = Wrongs(f"The {_words(kind)} {drawn(name, element_id)}", self._sources)

    def join(self, others: Sequence[DecisionFile]) -> None:
        """Find the files that this one imports among all that are deployed together."""
        by_namespace = {other.namespace: other for other in reversed(others) if other is not self}
        joined: set[str] = set()
        for each in self.root.iterchildren("{*}import"):
            namespace, name = each.get("namespace", ""), each.get("name", "")
            found = by_namespace.get(namespace)
            if found is not None:
                self.imports[name] = found
                self.types.imported[name] = found.types
                if namespace in joined:
                    continue
                joined.add(namespace)
                self._prefixes.setdefault(namespace, name)
                for known in found.members.all | {element.name for element in found.elements.values()}:
                    self.members.add(known)
            elif "DMN" in each.get("importType", ""):
                self.general.doubtful("unknown-import", each, f"{namespace[:120]!r} is not there. Deploy it together.")

    def connect(self) -> None:
        """Give each element its type and what it requires."""
        for element_id, element in self.elements.items():
            xml, faults = self._xml[element_id], self.faults[element_id]
            element.type = self.types.of(xml.find("{*}variable"))
            if isinstance(element, Service):
                element.inputs = [*self._referred(xml, "inputData"), *self._referred(xml, "inputDecision")]
                element.outputs = [
                    each for each in self._referred(xml, "outputDecision") if isinstance(each, DecisionElement)
                ]
                if not element.outputs:
                    faults.wrong("decision-empty", xml, "it has no output decision: add one.")
                element.required = [Requirement(each) for each in element.outputs]
            else:
                element.required = list(self._requirements(xml, faults))

    def _referred(self, xml: etree._Element, kind: str) -> list[Element]:
        faults = self.faults[xml.get("id") or str(xml.get("name"))]
        found = (self._found(each, faults) for each in xml.iterchildren(f"{{*}}{kind}"))
        return [each.element for each in found if each is not None]

    def _requirements(self, xml: etree._Element, faults: Wrongs) -> Iterator[Requirement]:
        for kind in ("informationRequirement", "knowledgeRequirement"):
            for requirement in xml.iterchildren(f"{{*}}{kind}"):
                for reference in requirement.iterchildren("{*}*"):
                    if local(reference).startswith("required") and (found := self._found(reference, faults)):
                        yield found

    def _found(self, reference: etree._Element, faults: Wrongs) -> Requirement | None:
        href = reference.get("href", "")
        namespace, _, element_id = href.rpartition("#")
        if namespace in ("", self.namespace) and element_id in self.elements:
            return Requirement(self.elements[element_id])
        for each in (namespace,) if namespace else self._prefixes:
            prefix = self._prefixes.get(each, "")
            other = self.imports.get(prefix)
            if other is not None and other.namespace == each and element_id in other.elements:
                return Requirement(other.elements[element_id], prefix)
        faults.wrong("unknown-decision", reference, f"it needs {href[:120]!r}, which is not there. Deploy it together.")
        return None

    def compile(self) -> None:
        """Compile the logic of each element, once all of them are connected."""
        for element_id, element in self.elements.items():
            xml, faults = self._xml[element_id], self.faults[element_id]
            if isinstance(element, DecisionElement):
                self._compile_decision(element, xml, faults)
            elif isinstance(element, Knowledge):
                self._compile_knowledge(element, xml, faults)
            element.is_usable = not faults.has_error

    def _compile_decision(self, decision: DecisionElement, xml: etree._Element, faults: Wrongs) -> None:
        found = expression_in(xml)
        if found is None:
            text = "it holds neither a decision table nor an expression"
            faults.doubtful("decision-empty", xml, f"{text}: add one.")
            decision.run = closures.null_because(f"the decision {decision.label} is null: {text}")
            return
        names = {name for each in decision.required for name in _names_of(each)}
        scope = Scope(DeclaredNames(names), is_open=True)
        begin = self.boxed.parts
        if local(found) == "decisionTable":
            decision.table = self.boxed.table(found, scope, faults, decision.name)
        else:
            decision.run = self.boxed.compiled(found, scope, faults, decision.name)
        decision.parts = self.boxed.parts - begin

    def _compile_knowledge(self, knowledge: Knowledge, xml: etree._Element, faults: Wrongs) -> None:
        logic = xml.find("{*}encapsulatedLogic")
        found = None if logic is None else expression_in(logic)
        if logic is None or found is None:
            faults.doubtful("decision-empty", xml, "it holds no expression: add one.")
            return
        kind = logic.get("kind", "FEEL")
        if kind != "FEEL":
            text = f"a function of {kind[:40]} cannot be called: write it in FEEL, or call a stone."
            faults.wrong("decision-unsupported", logic, text)
            return
        knowledge.parameters = self.boxed.parameters(logic)
        names = {each.prefix or each.element.name for each in knowledge.required} | {knowledge.name}
        scope = within(Scope(DeclaredNames(names)), knowledge.parameters)
        begin = self.boxed.parts
        knowledge.body = self.boxed.compiled(found, scope, faults, knowledge.name)
        knowledge.parts = self.boxed.repeated(begin)
        type_ = self.types.of(logic)
        if type_ is not ANY:
            knowledge.body = typed(knowledge.body, type_, f"the result of {knowledge.name!r}")

    @property
    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong or doubtful."""
        yield from self.general.found
        for faults in self.faults.values():
            yield from faults.found


def _names_of(requirement: Requirement) -> Iterator[str]:
    element, prefix = requirement
    yield prefix or element.name
    if prefix is None and isinstance(element, DecisionElement):
        yield from element.aliases
        yield from element.output_names


def _member_names(root: etree._Element) -> Iterator[str]:
    for kind in ("itemComponent", "contextEntry/{*}variable", "column", "output", "inputData", "decision"):
        for each in root.iterfind(f".//{{*}}{kind}"):
            if name := each.get("name"):
                yield name


def _version_tag(xml: etree._Element) -> str | None:
    """As Camunda 7 writes it, or Camunda 8."""
    zeebe = xml.find(f"{{*}}extensionElements/{{{_ZEEBE}}}versionTag")
    return xml.get(f"{{{_CAMUNDA}}}versionTag") or (None if zeebe is None else zeebe.get("value")) or None


def _words(kind: str) -> str:
    return {"inputData": "input", "businessKnowledgeModel": "business knowledge model"}.get(
        kind, "decision service" if kind == "decisionService" else kind
    )
