"""What a run of the benchmark prints and draws."""

from xml.etree import ElementTree

from bench.chart import chart
from bench.report import Result, Table

STEADY, WILD = (1.0, 1.01, 0.99, 1.0, 1.02), (1.0, 2.0, 0.5, 1.5, 3.0)


def table() -> Table:
    found = Table("a machine")
    found.add(Result("login", "ms CPU", {"gateway": WILD, "nginx": STEADY}, (1.3, 1.0)))
    found.add(Result("start", "s", {"gateway": (0.5,)}))
    return found


def test_ratio_is_that_of_the_medians() -> None:
    login, start = table().results
    assert login.ratio("gateway") == 1.5
    assert start.ratio("gateway") is None  # nobody to compare it with


def test_figures_that_scatter_are_marked_and_others_are_not() -> None:
    text = table().text()
    (line,) = (line for line in text.splitlines() if line.startswith("login"))
    assert line.split()[3:5] == ["~1.5", "1"]
    assert "~ rounds that scatter by more than 20%" in text


def test_contestant_that_came_later_joins_the_line() -> None:
    found = table()
    found.merge(Result("start", "s", {"nginx": (0.25,)}))
    assert found.results[1].ratio("gateway") == 2.0
    assert len(found.results) == 2


def test_chart_has_a_bar_for_each_figure_that_can_be_compared() -> None:
    drawn = ElementTree.fromstring(chart(table()))
    words = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "login" in words
    assert "1.50" in words
    assert "start" not in words
