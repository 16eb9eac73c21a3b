"""What waits in the inbox is shared out: very many outcomes of one process do not hold up others."""

from __future__ import annotations

from riverstone.engine.river.inbox import SHARE, Command, Inbox

MOST = 4 * SHARE


def command(about: int = 0) -> Command:
    return Command(lambda turn: None, about=about)


def filled(*groups: list[Command]) -> Inbox:
    inbox = Inbox()
    for group in groups:
        inbox.put(group)
    return inbox


def test_a_few_are_taken_in_the_order_of_their_coming() -> None:
    wide, asked = [command(about=1) for _ in range(MOST - 1)], command()
    inbox = filled(wide, [asked])

    assert inbox.take(MOST) == [*wide, asked]
    assert inbox.commands == []


def test_what_somebody_asks_for_is_taken_before_the_many_outcomes_of_one_process() -> None:
    wide, asked = [command(about=1) for _ in range(10 * MOST)], [command(), command()]
    inbox = filled(wide, asked)

    batch = inbox.take(MOST)

    assert batch == [*asked, *wide[: MOST - 2]]
    assert inbox.commands == wide[MOST - 2 :]


def test_another_process_gets_its_share() -> None:
    wide, other = ([command(about) for _ in range(5 * MOST)] for about in (1, 2))
    inbox = filled(wide, other)

    batch = inbox.take(MOST)

    assert batch[: 2 * SHARE] == [*wide[:SHARE], *other[:SHARE]]
    assert len(batch) == MOST


def test_nothing_is_lost_and_each_process_keeps_its_order() -> None:
    made = [command(about) for number in range(3 * MOST) for about in (1, 2, 3, 1, 1)]
    inbox = filled(made)
    taken: list[Command] = []
    while inbox.commands:
        batch = inbox.take(MOST)
        inbox.put_back(batch[MOST // 2 :])
        taken += batch[: MOST // 2]

    assert len(taken) == len(made)
    for about in (1, 2, 3):
        assert [each for each in taken if each.about == about] == [each for each in made if each.about == about]
