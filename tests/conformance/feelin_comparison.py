"""Generated expressions of FEEL, here and in npm's ``feelin``: ``python3 -m tests.conformance.feelin_comparison 9000``.

``npm ci --prefix tests/conformance/feelin --ignore-scripts`` installs it. Prints the smallest parts on which the two
differ, but for what KNOWN tells of; the exit code is 1 if anything is left. Numbers are those that doubles hold
exactly, since feelin counts with doubles; it does not multiply durations.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from riverstone.engine.errors import ExpressionError
from riverstone.engine.language import effort
from riverstone.engine.language.context import Context
from riverstone.engine.language.feel.border import to_json
from riverstone.engine.language.feel.expressions import compile_feel
from riverstone.engine.limits import Limits

FOLDER = Path(__file__).parent / "feelin"
LIMITS = Limits()
CONTEXT: dict[str, Any] = {
    "n": 3,
    "m": -2.5,
    "s": "foobar",
    "xs": [1, 2, 3, 4],
    "ys": ["a", "b", "c"],
    "orders": [{"price": 10, "open": True}, {"price": 25.5, "open": False}, {"price": 7, "open": True}],
    "person": {"name": "Ann", "age": 31},
}
PART = 2_000
KNOWN = {
    r"^years and months duration": "feelin keeps days in a duration of months (DMN 1.5, table 74)",
    r"[+-].*\| \"[-0-9]+\" \| \"[-0-9]+T": "a date and a duration make a date, in feelin a moment (tables 55 to 61)",
    r"^(remove|insert before)\(.*, -1": "-1 is the last position, in feelin the one before (table 76)",
    r"^(insert before|list replace|sublist|remove)\(.*\| null \|": "no such position is in the list (table 76)",
    r"^substring\(.*\| null \|": "no such position is in the text (table 75)",
    r"^substring\(.*😀": "feelin counts by UTF-16, FEEL by character (10.3.2.3.2)",
    r"^orders\[(open|not\(open\))\]": "feelin takes a filter that is only a name for none (10.3.2.5)",
    r"date and time\(.* \| null \|": "times with a zone and without are not compared (tables 42 to 45, 55 to 61)",
    r"^\((some|every) .*\| null \|": "what compares with null is null, in feelin false (table 50)",
    r"\[item !?= ": "anything may be compared with null, in feelin it is null then (tables 52 and 53)",
    r" = .*\| null$": "lists of other lengths and contexts of other keys are not equal, in feelin null (table 53)",
    r" between .*\| false \| true$": "nothing is between two values in the wrong order, feelin turns them",
    r"^(starts|finishes|during)\(": "feelin knows them of points alone (table 79)",
    r"^median\(": "feelin sorts numbers as texts (table 76)",
}
"""What the specification says where the two differ, by a pattern of the expression, our value and feelin's."""
FORMS = {
    "number": """0 ; 1 ; 2.5 ; -3 ; 100 ; n ; m ; 0.25 ; null
        (<number> «+|-|*» <number>) ; (<number> / «2|4|0|-8») ; -(<number>) ; («2|3|-2» ** «2|3|0») ; person.age
        «floor|ceiling|abs»(<number>) ; modulo(<number>, «3|-2|4|0.5») ; <context>.a ; number(«"1.5"|"x"|string(n)»)
        «round up|round down|round half up|round half down|decimal»(<number>, «0|1|-1») ; string length(<string>)
        «sum|min|max|count|mean|median|product»(<numbers>) ; <numbers>[«1|-1|2|9»] ; <days>.«days|hours|minutes»
        (if <boolean> then <number> else <number>) ; <date>.«year|month|day|weekday» ; <months>.«years|months»
        (function(x) x + <number>)(<number>) ; count(<strings>) ; index of(<numbers>, <number>)[1]
        «day of year|week of year»(<date>)""",
    "string": """"" ; "a" ; "foo bar" ; s ; "Ünï😀x" ; "12" ; null
        (<string> + <string>) ; substring(<string>, «1|2|-2|-1|9») ; substring(<string>, «1|2|-3», «1|2|5»)
        «upper case|lower case»(<string>) ; «substring before|substring after»(<string>, <string>)
        replace(<string>, "[a-c]", "<$0>") ; replace(<string>, "(o+)b", "$1-") ; string(<any>) ; person.name
        string join(<strings>, <string>) ; (if <boolean> then <string> else <string>) ; <strings>[«1|-1|2»]
        «day of week|month of year»(<date>)""",
    "boolean": """true ; false ; null
        (<number> «=|!=|<|<=|>|>=» <number>) ; (<string> «=|!=|<|<=|>|>=» <string>) ; (<date> «=|!=|<|>» <date>)
        (<moment> «=|<|>=» <moment>) ; (<days> «=|<|>=» <days>) ; (<months> «=|<|>=» <months>) ; not(<boolean>)
        (<boolean> «and|or» <boolean>) ; (<number> between <number> and <number>) ; (<number> in <range>)
        (<number> in (<number>, «<|>=» <number>)) ; («some|every» x in <numbers> satisfies x > <number>)
        «contains|starts with|ends with»(<string>, <string>) ; matches(<string>, «"^f"|"o+"|"[a-c]$"|".*"»)
        list contains(<numbers>, <number>) ; «all|any»([<boolean>, <boolean>]) ; «even|odd»(«n|4|-3|0»)
        (<any> instance of «number|string|boolean|date|list< number >») ; (<any> = null) ; (<numbers> = <numbers>)
        (<context> = <context>) ; «before|after|meets|overlaps|includes|during|starts|finishes»(<range>, <range>)""",
    "range": "[1..5] ; (1..5] ; [2..3] ; [5..9) ; (-2..2) ; [1..1]",
    "numbers": """[] ; [1, 2, 3] ; xs ; orders.price ; [2, 2, 1] ; [null, 1]
        [<number>, <number>, <number>] ; <numbers>[item «>|<=|=» <number>] ; (for x in <numbers> return x * <number>)
        (for x in «1..3|3..1|-1..1» return x + <number>) ; (for x in <numbers>, y in «[1, 2]|xs» return x + y)
        orders[«open|price > 8|not(open)|price = 7»].price ; append(<numbers>, <number>)
        «concatenate|union»(<numbers>, <numbers>) ; insert before(<numbers>, «1|2|-1», <number>)
        remove(<numbers>, «1|-1») ; sublist(<numbers>, «1|2|-2») ; list replace(<numbers>, 1, <number>)
        «reverse|distinct values|flatten»(<numbers>) ; sort(<numbers>, function(a, b) a > b)""",
    "strings": """ys ; [] ; ["x", "y"]
        [<string>, <string>] ; append(<strings>, <string>) ; (for y in <strings> return y + <string>)
        reverse(<strings>) ; split(<string>, «"o"|","|"[ab]"») ; <strings>[item != <string>]""",
    "context": """person ; {a: 1} ; {}
        {a: <number>, b: <string>} ; {a: <number>, b: a + 1} ; context put(<context>, "a", <number>)
        context merge([<context>, <context>]) ; get entries(<context>)[1]""",
    "date": """@"2024-01-31" ; date("2023-02-28") ; @"2000-02-29"
        (<date> «+|-» <days>) ; (<date> «+|-» <months>) ; date(<moment>) ; date(2024, 2, 29) ; date(2023, 2, 29)""",
    "moment": """@"2024-01-31T10:30:00Z" ; @"2024-03-10T02:30:00Z"
        (<moment> + <days>) ; (<moment> + <months>) ; date and time(<date>, <time>)""",
    "time": """@"10:30:00" ; @"23:59:59"
        (<time> + <days>) ; time(10, 30, 0)""",
    "days": """@"P1D" ; @"PT5H30M" ; @"-PT90M" ; duration("P2DT3H")
        (<days> «+|-» <days>) ; (<date> - <date>) ; (<moment> - <moment>) ; abs(<days>)""",
    "months": """@"P1Y" ; @"P1Y2M" ; @"-P3M" ; duration("P14M")
        (<months> «+|-» <months>) ; years and months duration(<date>, <date>)""",
}
"""By the kind of value, on the first line what is simple. ``«a|b»`` is one of both, ``<kind>`` an expression."""
ANY = tuple(kind for kind in FORMS if kind != "range")


class Typed:
    """Expressions that mostly have a value; ``parts`` are those that the last one was made from, and it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.parts: list[str] = []

    def any(self) -> list[str]:
        """The parts of an expression, the innermost first."""
        self.parts = []
        self.expression("any", self.random.randint(1, 3))
        return self.parts

    def expression(self, kind: str, depth: int) -> str:
        if kind == "any":
            kind = self.random.choice(ANY)
        simple, *forms = (line.strip().split(" ; ") for line in FORMS[kind].split("\n"))
        is_simple = depth <= 0 or not forms or self.random.random() < 0.15
        form = self.random.choice(simple if is_simple else [each for line in forms for each in line])
        text = re.sub("«(.*?)»", lambda found: self.random.choice(found[1].split("|")), form)
        text = re.sub(_PLACE, lambda found: self.expression(found[1], depth - 1), text)
        if kind != "range":
            # A range is no JSON, and compared by what is made of it.
            self.parts.append(text)
        return text


_PLACE = f"<({'|'.join(['any', *FORMS])})>"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("expressions", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="print also what KNOWN tells of")
    arguments = parser.parse_args()
    typed = Typed(arguments.seed)
    same = 0
    known: Counter[str] = Counter()
    told: set[str] = set()
    for begin in range(0, arguments.expressions, PART):
        made = [typed.any() for _ in range(min(PART, arguments.expressions - begin))]
        texts = list(dict.fromkeys(part for parts in made for part in parts))
        found = {text: (riverstone(text), theirs) for text, theirs in zip(texts, feelin(texts), strict=True)}
        for parts in made:
            # What differs first is the cause; all around it differs for that alone.
            differs = next((part for part in parts if not is_same(*found[part])), None)
            if differs is None:
                same += 1
                continue
            seen = " | ".join([differs, *(_shown(each.get("value", each)) for each in found[differs])])
            why = next((reason for pattern, reason in KNOWN.items() if re.search(pattern, seen)), "")
            known[why] += 1
            if differs not in told and (arguments.all or not why):
                told.add(differs)
                print(seen)
    print(f"{same} are the same, {sum(known.values())} differ.")
    for why, count in known.most_common():
        print(f"{count:>6}  {why or 'unexplained'}")
    return 1 if known[""] else 0


def feelin(texts: list[str]) -> list[dict[str, Any]]:
    """What feelin makes of expressions: ``value`` or ``error``."""
    asked = json.dumps({"texts": texts, "context": CONTEXT})
    made = subprocess.run(["node", "evaluate.mjs"], cwd=FOLDER, input=asked, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(made.stdout)
    return found


def riverstone(text: str) -> dict[str, Any]:
    try:
        with effort.turn(LIMITS):
            return {"value": to_json(compile_feel(text, limits=LIMITS).evaluate(Context(CONTEXT)), LIMITS)}
    except ExpressionError as error:
        return {"error": error.message}


def _shown(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False)[:300]


def is_same(ours: Any, theirs: Any) -> bool:
    """Whether both have the same value, or neither has one."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(is_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(is_same, ours, theirs))
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12)
    return bool(ours == theirs)


if __name__ == "__main__":
    sys.exit(main())
