"""What is found among very many processes that wait: who gets a message, pages of lists, texts, and figures."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from typing import NamedTuple

from flask.testing import FlaskClient

from riverstone.api import create_app
from riverstone.engine import Engine, Invalid, Limits
from riverstone.models import ContentRow, InstanceRow, Store, TokenRow, WaitRow
from riverstone.models.row_types.tables import columns
from riverstone.models.words import words_in

from ..features.sketch import catch, definitions, flow, process
from ..models import stores
from .bench import Bench
from .databases import SERVERS, cpu_of_server
from .diagrams import sequence
from .measure import alternate, spent
from .stones import stones
from .table import Row, milliseconds

WAITING = definitions(
    '<message id="m" name="paid"/>',
    process("order", '<startEvent id="s"/>', catch("c", '<messageEventDefinition messageRef="m"/>'), flow("s", "c")),
)
NAME = "bench 云硬盘"
ASKED = 20
AT_ONCE = 10_000
"""Processes that one statement copies or ends: a server is to answer soon."""
MOST, MOST_OF_TEXT, MOST_OF_PAGE, MOST_OF_PURGE = 0.005, 0.05, 0.002, 1.0
"""Seconds of the processor."""
MOST_OF_LOOK = 0.1
"""The same for what no index tells: a part of a list is looked at, and nobody holds others up for longer."""
TEXTS: Mapping[str, Callable[[Engine], object]] = {
    "a text: a word that all have": lambda engine: engine.search(text="bench"),
    "a text: a word that one has": lambda engine: engine.search(text="k77"),
    "a text: what many words begin with": lambda engine: engine.search(text="k"),
    "a text: two signs of a Chinese name": lambda engine: engine.search(text="硬盘"),
    "a text: what no word begins with": lambda engine: engine.search(text="7x7"),
}
QUESTIONS: Mapping[str, Callable[[Engine], object]] = {
    "a page of 50 that run": lambda engine: engine.search(state="running"),
    "a page of 50 of a key": lambda engine: engine.search(key="order"),
    "those of one business key": lambda engine: engine.search(business_key="k77"),
    "those of a status, none": lambda engine: engine.search(statuses=["failed"]),
    "those of a kind, none": lambda engine: engine.search(kind="delete"),
    "those of an exact name, none": lambda engine: engine.instances(name="nobody"),
}


class Copies(NamedTuple):
    """How a kind of database makes many processes of one."""

    numbers: str
    """The numbers ``n`` from ``{low}`` to ``{high}``, as a table."""
    new_id: str
    key: str
    """The business key of the one with this number."""


COPIES = {
    "sqlite": Copies(
        "(WITH RECURSIVE c(n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM c WHERE n < {high}) SELECT n FROM c)",
        "LOWER(HEX(RANDOMBLOB(16)))",
        "'k' || n",
    ),
    "postgresql": Copies("(SELECT n FROM generate_series({low}, {high}) AS n)", "gen_random_uuid()", "'k' || n"),
    "mariadb": Copies("(SELECT seq AS n FROM seq_{low}_to_{high})", "UUID()", "CONCAT('k', n)"),
}
ROWS = {"process_instance": InstanceRow, "content": ContentRow, "token": TokenRow, "wait": WaitRow}
END = (
    "UPDATE process_instance SET phase = 'ended', status = 'success', outcome = 'success', awaits = NULL,"
    " ended = started WHERE process_instance_id >= ? AND process_instance_id < ?"
)


def measure(bench: Bench) -> Iterator[Row]:
    """CPU beside few and beside many others, a server's too; of a message with its commit, the others without."""
    for kind in stores.SHARED:
        yield from Among(bench, kind).rows()
    # As a server is that has counted nothing: its store was just filled, or its autovacuum is off.
    yield from Among(bench, "postgresql", counted=False).rows()
    yield _tasks(bench, bench.size(50_000, 500))


class Among:
    """What is asked among few and among many processes, on one kind of database."""

    def __init__(self, bench: Bench, kind: str, *, counted: bool = True) -> None:
        self.bench = bench
        self.kind = kind
        self.counted = counted
        """Whether PostgreSQL has statistics of the rows."""
        self.sizes = {"few": bench.size(10_000, 100), "many": bench.many}
        self.first: dict[str, int] = {}
        self.engines: dict[str, Engine] = {}

    def rows(self) -> Iterator[Row]:
        """One for each thing that is asked."""
        with ExitStack() as stack:
            urls = {name: stack.enter_context(self._filled(name)) for name in self.sizes}
            limits = Limits(batch_processes=self.sizes["few"] - 1)
            self.engines = {
                name: stack.enter_context(Engine(url, stones=stones, limits=limits)) for name, url in urls.items()
            }
            keys = iter(range(1, self.sizes["few"]))
            yield self._row("a message by business key", lambda name: self._tell(name, key=next(keys)))
            yield self._row("a message by id", lambda name: self._tell(name, number=next(keys)))
            yield self._row("a message by its name", lambda name: self.engines[name].message("paid"))
            for work, ask in QUESTIONS.items():
                yield self._row(work, partial(self._ask, ask))
            for work, ask in TEXTS.items():
                yield self._row(work, partial(self._ask, ask), MOST_OF_TEXT)
            looked_for = partial(self._ask, lambda engine: engine.search(element="zz"))
            yield self._row("an element where nobody is", looked_for, MOST_OF_LOOK)
            yield self._row("a batch that is too large", self._refused_batch, MOST_OF_LOOK, times=2)
            clients = {name: create_app(engine).test_client() for name, engine in self.engines.items()}
            for path in ("/process?limit=50", "/process/search?limit=50"):
                yield self._row(f"GET {path}", partial(_got, clients, path), MOST_OF_PAGE)
            yield self._row("figures", partial(self._ask, Engine.figures), None)
            # They wait; what can be forgotten has ended.
            for url in urls.values():
                with closing(Store(url)) as store:
                    last = int(store.value("SELECT MAX(`process_instance_id`) FROM `process_instance`"))
                    for low in range(0, last + 1, AT_ONCE):
                        store.execute(END, (low, low + AT_ONCE))
            yield self._row("a purge that only counts", self._purge, MOST_OF_PURGE, times=1)

    def _tell(self, name: str, *, key: int | None = None, number: int | None = None) -> None:
        engine = self.engines[name]
        if number is None:
            engine.message("paid", business_key=f"k{key}")
        else:
            engine.message("paid", process_instance_id=str(self.first[name] + number))

    def _ask(self, ask: Callable[[Engine], object], name: str) -> None:
        ask(self.engines[name])

    def _refused_batch(self, name: str) -> None:
        with suppress(Invalid):
            self.engines[name].preview_batch("suspend", {"key": "order"})
            raise RuntimeError("As many are found as are too many.")

    def _purge(self, name: str) -> None:
        if not self.engines[name].purge(0, dry_run=True):
            raise RuntimeError("There is nothing to purge: all have ended and made nothing.")

    def _row(self, work: str, act: Callable[[str], object], most: float | None = MOST, times: int = ASKED) -> Row:
        count = self.bench.size(times, min(times, 2))

        def repeated(name: str) -> Callable[[], None]:
            def run() -> None:
                for _ in range(count):
                    act(name)

            return run

        taken = alternate({name: (repeated(name), count) for name in self.sizes}, self.bench.rounds, self._elsewhere)
        few, many = taken["few"].cpu, taken["many"].cpu
        kind = self.kind if self.counted else f"{self.kind} without statistics"
        title, beside = f"{kind}: {work}", f"{milliseconds(few)} beside few"
        growth = f"{many / few:.2f} times"
        if most is None:
            return Row(title, f"{milliseconds(many)} CPU", beside, growth)
        return Row(title, f"{milliseconds(many)} CPU", beside, growth, f"<= {milliseconds(most)}", many <= most)

    def _elsewhere(self) -> float:
        return cpu_of_server(SERVERS[self.kind]) if self.kind in SERVERS else 0.0

    @contextmanager
    def _filled(self, name: str) -> Iterator[str]:
        """A store with so many processes that wait, all copies of one that does."""
        folder = self.bench.folder / f"{self.kind}-{name}-{self.counted}"
        folder.mkdir()
        with stores.bare(self.kind, folder) as url:
            with Engine(url, stones=stones) as engine:
                engine.deploy(WAITING)
                started = engine.start(key="order", name=NAME, business_key="k0")
            first = self.first[name] = int(started.process_instance_id)
            with closing(Store(url)) as store:
                for table in () if self.counted else (*ROWS, "word"):
                    store.execute(f"ALTER TABLE `{table}` SET (autovacuum_enabled = false)")
                for low in range(1, self.sizes[name] + 1, AT_ONCE):
                    self._copy(store, first, low, min(self.sizes[name], low + AT_ONCE - 1))
                store.execute(f"UPDATE `sequence` SET `next` = {first + self.sizes[name] + 1} WHERE `name` = 'id'")
                if self.kind == "postgresql" and self.counted:
                    # As autovacuum does when so many rows have come.
                    for table in (*ROWS, "word"):
                        store.execute(f"ANALYZE `{table}`")
            yield url

    def _copy(self, store: Store, first: int, low: int, high: int) -> None:
        copies = COPIES[self.kind]
        numbers = copies.numbers.format(low=low, high=high)
        number = f"({first} + n)"
        own = {"process_instance_id": number, "business_key": copies.key, "id": copies.new_id}
        for table, row in ROWS.items():
            names = columns(row)
            given = own if table == "process_instance" else {"process_instance_id": number}
            chosen = ", ".join(given.get(column, f"`{column}`") for column in names)
            store.execute(
                f"INSERT INTO `{table}` ({', '.join(f'`{each}`' for each in names)}) SELECT {chosen}"
                f" FROM {numbers} AS copy CROSS JOIN `{table}` WHERE `process_instance_id` = {first}"
            )
        # Each by a statement of its own: no index finds the words of a process.
        for word in (copies.key, *(f"'{each}'" for each in words_in(NAME))):
            store.execute(
                f"INSERT INTO `word` (`word`, `process_instance_id`) SELECT {word}, {number} FROM {numbers} AS copy"
            )


def _got(clients: Mapping[str, FlaskClient], path: str, name: str) -> None:
    answer = clients[name].get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"GET {path} answered {answer.status}.")


def _tasks(bench: Bench, count: int) -> Row:
    """A page in the middle of so many tasks of one process."""
    with bench.engine("tasks") as engine:
        number = engine.start(deployment_id=engine.deploy(sequence(1)).deployment_id, name="bench").process_instance_id
        (task,) = engine.tasks(number)
    first = int(task.task_id)
    with closing(sqlite3.connect(bench.folder / "tasks.db")) as connection:
        columns = [str(row[1]) for row in connection.execute("PRAGMA table_info(task)")]
        connection.execute(
            f"WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {count})"
            f" INSERT INTO task ({', '.join(f'`{column}`' for column in columns)})"
            f" SELECT {', '.join('id + n' if column == 'id' else f'`{column}`' for column in columns)}"
            f" FROM copy CROSS JOIN task WHERE id = {first}"
        )
        connection.commit()
    with bench.engine("tasks", passive=True) as engine:
        pages = bench.size(ASKED, 2)
        taken = spent(lambda: [engine.tasks(number, limit=100, after=str(first + count // 2)) for _ in range(pages)])
    cpu = taken.cpu / pages
    return Row(f"100 of {count:,} tasks", f"{milliseconds(cpu)} CPU", target="<= 10 ms", met=cpu <= 0.01)
