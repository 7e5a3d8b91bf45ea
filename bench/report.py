"""The table: medians of all contestants, and ratios to one of them."""

from collections.abc import Iterable
from statistics import median

from attrs import Factory, define, evolve, frozen

YARDSTICK = "nginx"
SCATTER = 0.2
"""A figure whose middle half is wider than this part of its median is marked."""


@frozen
class Result:
    """A figure of all contestants, a value a round."""

    name: str
    unit: str
    values: dict[str, tuple[float, ...]]
    target: tuple[float, float] | None = None

    def median(self, name: str) -> float | None:
        """Return the middle of a contestant's rounds."""
        return median(self.values[name]) if name in self.values else None

    def scatters(self, name: str) -> bool:
        """Whether its rounds lie too far apart to be one figure."""
        values = sorted(self.values.get(name, ()))
        if len(values) < 3:
            return False
        low, high = values[len(values) // 4], values[-1 - len(values) // 4]
        return high - low > SCATTER * abs(median(values))

    def ratio(self, name: str) -> float | None:
        """Return a contestant's figure in parts of the yardstick's."""
        ours, theirs = self.median(name), self.median(YARDSTICK)
        return None if ours is None or not theirs else ours / theirs


@define
class Table:
    """All figures of a run."""

    machine: str
    results: list[Result] = Factory(list)

    def add(self, result: Result) -> None:
        """Add a line."""
        self.results.append(result)

    def merge(self, result: Result) -> None:
        """Add a contestant's value to a line, or the line."""
        for at, known in enumerate(self.results):
            if known.name == result.name:
                self.results[at] = evolve(known, values=known.values | result.values)
                return
        self.add(result)

    @property
    def names(self) -> list[str]:
        """Return who took part."""
        return list(dict.fromkeys(name for one in self.results for name in one.values))

    def text(self) -> str:
        """Return it for a terminal."""
        heads = [*self.names, f"to {YARDSTICK}", "must", "go for"]
        lines = [self.machine, "", _line("", "", heads)]
        for result in self.results:
            ratio, targets = result.ratio("gateway"), result.target or ()
            cells = [
                *(_cell(result, name) for name in self.names),
                "" if ratio is None else f"{ratio:.2f}",
                *(f"{target:g}" for target in targets),
            ]
            lines.append(_line(result.name, result.unit, cells))
        if any(result.scatters(name) for result in self.results for name in self.names):
            lines += ["", f"~ rounds that scatter by more than {SCATTER:.0%}"]
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """Return all of it, every round."""
        return {
            "machine": self.machine,
            "figures": [
                {
                    "name": result.name,
                    "unit": result.unit,
                    "rounds": {name: list(v) for name, v in result.values.items()},
                    "medians": {name: result.median(name) for name in result.values},
                    "ratio": result.ratio("gateway"),
                    "target": result.target,
                }
                for result in self.results
            ],
        }


def _cell(result: Result, name: str) -> str:
    value = result.median(name)
    if value is None:
        return "-"
    return f"{'~' if result.scatters(name) else ''}{value:.3g}"


def _line(name: str, unit: str, cells: Iterable[str]) -> str:
    return f"{name:42}{unit:>10}  " + "".join(f"{cell:>10}" for cell in cells)
