"""Which column and which row each node of a flow is drawn in, and along which row each edge runs."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SEARCH = 40
"""How many rows are tried before a new one is opened at the bottom, which keeps wide models linear."""


class Edge(NamedTuple):
    """A connection between two nodes, given by their positions in the list of nodes.

    A ``side`` edge leaves through the node's border (a boundary event), so it never goes on in the node's row.
    """

    source: int
    target: int
    side: bool = False


@dataclass(slots=True)
class Placing:
    """The result: a column and a row by node; by edge the row it runs along, and whether it runs backwards."""

    columns: list[int]
    rows: list[int]
    edge_rows: list[int]
    backward: list[bool]
    row_count: int = 0


@dataclass(slots=True)
class _Rows:
    """The spans of columns that are taken, row by row."""

    taken: list[list[tuple[int, int]]] = field(default_factory=list)

    def is_free(self, row: int, first: int, last: int) -> bool:
        if row >= len(self.taken):
            return True
        spans = self.taken[row]
        after = bisect_right(spans, (last, 1 << 60))
        return after == 0 or spans[after - 1][1] < first

    def take(self, row: int, first: int, last: int) -> None:
        while row >= len(self.taken):
            self.taken.append([])
        if first <= last:
            insort(self.taken[row], (first, last))

    def find(self, start: int, first: int, last: int) -> int:
        """Take the span in the first row from ``start`` on that has room for it."""
        row = next((row for row in range(start, start + SEARCH) if self.is_free(row, first, last)), len(self.taken))
        self.take(row, first, last)
        return row


def place(count: int, edges: Sequence[Edge]) -> Placing:
    """Lay out ``count`` nodes: columns by the longest path, branches in rows that nothing else crosses.

    Takes time in proportion to nodes and edges, but for a logarithm. No two nodes share a cell, and no edge that
    follows its row meets a node.
    """
    backward = _backward(count, edges)
    forward: list[list[int]] = [[] for _ in range(count)]
    backed = [number for number, edge in enumerate(edges) if backward[number]]
    for number, edge in enumerate(edges):
        if not backward[number]:
            forward[edge.source].append(number)
    columns, order = _columns(count, edges, forward)
    parent_edge = _tree(count, edges, forward, columns)
    rows = _Rows()
    placing = Placing(columns=columns, rows=[-1] * count, edge_rows=[-1] * len(edges), backward=backward)
    _place_chains(placing, rows, edges, forward, parent_edge, order)
    for number in (number for node in order for number in forward[node]):
        if placing.edge_rows[number] < 0:
            placing.edge_rows[number] = _forward_row(placing, rows, edges[number])
    for number in backed:
        edge = edges[number]
        low = max(placing.rows[edge.source], placing.rows[edge.target]) + 1
        placing.edge_rows[number] = rows.find(low, columns[edge.target], columns[edge.source])
    placing.row_count = len(rows.taken)
    return placing


def _backward(count: int, edges: Sequence[Edge]) -> list[bool]:
    """Which edges close a cycle, found depth first from the nodes that nothing leads to."""
    outgoing: list[list[int]] = [[] for _ in range(count)]
    entered = [False] * count
    for number, edge in enumerate(edges):
        outgoing[edge.source].append(number)
        entered[edge.target] = entered[edge.target] or edge.source != edge.target
    backward = [False] * len(edges)
    state = [0] * count
    for root in sorted(range(count), key=lambda node: (entered[node], node)):
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(outgoing[root]))]
        while path:
            node, following = path[-1]
            for number in following:
                target = edges[number].target
                if state[target] == 1:
                    backward[number] = True
                elif not state[target]:
                    state[target] = 1
                    path.append((target, iter(outgoing[target])))
                    break
            else:
                state[node] = 2
                path.pop()
    return backward


def _columns(count: int, edges: Sequence[Edge], forward: list[list[int]]) -> tuple[list[int], list[int]]:
    """The longest path to each node, and a topological order."""
    open_edges = [0] * count
    for numbers in forward:
        for number in numbers:
            open_edges[edges[number].target] += 1
    columns = [0] * count
    order = [node for node in range(count) if not open_edges[node]]
    for node in order:
        for number in forward[node]:
            target = edges[number].target
            columns[target] = max(columns[target], columns[node] + 1)
            open_edges[target] -= 1
            if not open_edges[target]:
                order.append(target)
    return columns, order


def _tree(count: int, edges: Sequence[Edge], forward: list[list[int]], columns: list[int]) -> list[int]:
    """For each node the edge that it is drawn after: from the column before, a side edge only if there is no other."""
    parent = [-1] * count
    for numbers in forward:
        for number in numbers:
            edge = edges[number]
            known = parent[edge.target]
            near = columns[edge.source] + 1 == columns[edge.target]
            if near and (known < 0 or (edges[known].side and not edge.side)):
                parent[edge.target] = number
    return parent


def _place_chains(
    placing: Placing,
    rows: _Rows,
    edges: Sequence[Edge],
    forward: list[list[int]],
    parent_edge: list[int],
    order: list[int],
) -> None:
    """Put the longest chain from each root into one row, then its side branches below, depth first.

    A chain takes its row up to the join that its last node leads to, and that edge runs there.
    """
    columns = placing.columns
    length = [1] * len(columns)
    heir = [-1] * len(columns)
    for node in reversed(order):
        for number in forward[node]:
            target = edges[number].target
            if parent_edge[target] == number and not edges[number].side and length[target] >= length[node]:
                length[node], heir[node] = length[target] + 1, number
    for root in (node for node in order if parent_edge[node] < 0):
        waiting = [(root, len(rows.taken), columns[root])]
        lowest: dict[int, int] = {}
        while waiting:
            head, start, first = waiting.pop()
            entry = parent_edge[head]
            if entry >= 0:
                start = max(start, lowest.get(edges[entry].source, 0))
            chain = _chain(head, heir, edges)
            onward = next((number for number in forward[chain[-1]] if not edges[number].side), -1)
            reach = columns[edges[onward].target] - 1 if onward >= 0 else columns[chain[-1]]
            row = rows.find(start, first, reach)
            if onward >= 0:
                placing.edge_rows[onward] = row
            if entry >= 0:
                placing.edge_rows[entry] = row
                lowest[edges[entry].source] = row + 1
            for node in chain:
                placing.rows[node] = row
            waiting.extend(_branches(chain, row, placing, edges, forward, parent_edge, heir))


def _chain(head: int, heir: list[int], edges: Sequence[Edge]) -> list[int]:
    chain = [head]
    while heir[chain[-1]] >= 0:
        chain.append(edges[heir[chain[-1]]].target)
    return chain


def _branches(
    chain: list[int],
    row: int,
    placing: Placing,
    edges: Sequence[Edge],
    forward: list[list[int]],
    parent_edge: list[int],
    heir: list[int],
) -> list[tuple[int, int, int]]:
    """The side branches of a chain as (head, first row to try, first column), the one to be placed next at the end."""
    found = []
    for node in chain:
        for number in forward[node]:
            target = edges[number].target
            if number == heir[node]:
                placing.edge_rows[number] = row
            elif parent_edge[target] == number:
                found.append((target, row + 1, placing.columns[node] + 1))
    found.reverse()
    return found


def _forward_row(placing: Placing, rows: _Rows, edge: Edge) -> int:
    """The row for an edge outside the tree: its source's if free up to the target, its target's, or one below."""
    source, target = placing.rows[edge.source], placing.rows[edge.target]
    first, last = placing.columns[edge.source] + 1, placing.columns[edge.target] - 1
    if first > last:
        return target
    for row in () if edge.side else (source, target):
        if rows.is_free(row, first, last):
            rows.take(row, first, last)
            return row
    return rows.find(min(source, target) + 1, first, last)
