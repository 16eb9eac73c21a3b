"""What came of trying a stone: check by check, and in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was tried."""

    name: str
    result: Literal["ok", "wrong", "skipped"]
    text: str

    def __str__(self) -> str:
        return f"{self.result:<8} {self.name}: {self.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractReport:
    """All that was tried on one stone, in order."""

    code: str
    checks: tuple[Check, ...]

    @property
    def wrong(self) -> tuple[Check, ...]:
        """What the stone does not hold."""
        return tuple(check for check in self.checks if check.result == "wrong")

    def assert_ok(self) -> None:
        """Raise AssertionError with the whole report if anything is wrong."""
        __tracebackhide__ = True
        if self.wrong:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        count = len(self.wrong)
        end = f"{count} wrong" if count else "nothing wrong"
        return "\n".join([f"stone {self.code}", *(f"  {check}" for check in self.checks), f"  {end}"])


def ok(name: str, text: str) -> Check:
    """A check that the stone has passed."""
    return Check(name=name, result="ok", text=text)


def wrong(name: str, text: str) -> Check:
    """A check that it has not; the text says what to do."""
    return Check(name=name, result="wrong", text=text.rstrip(".") + ".")


def skipped(name: str, text: str) -> Check:
    """A check that does not apply."""
    return Check(name=name, result="skipped", text=text)
