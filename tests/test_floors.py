"""The house keeps its rules, and each rule sees a breach of it.

A test that cannot fail is a defect, so every rule is shown modules that break it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.floors import (
    CATCHES_ALL,
    PACKAGE,
    RULES,
    USES_CTYPES,
    Module,
    Rule,
    ctypes_in_more_than_one_place,
    handlers_that_swallow_everything,
    imports_that_do_not_point_down,
    impure_imports_of_protocols,
    modules_without_a_floor,
    prints_outside_the_command_line,
    protocols_that_know_each_other,
    relative_imports,
)

ROOT = Path(__file__).parent.parent / PACKAGE


def the_house() -> Iterator[Module]:
    for file in sorted(ROOT.rglob("*.py")):
        path = file.relative_to(ROOT).as_posix()
        yield Module(path, ast.parse(file.read_text(encoding="utf-8"), path))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Rule) -> None:
    broken = [
        f"{module.path} {what}" for module in the_house() for what in rule(module)
    ]
    assert broken == []


def test_the_house_was_found() -> None:
    assert {"protocol/engine.py", "server.py"} <= {found.path for found in the_house()}


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        *((handlers_that_swallow_everything, path) for path in sorted(CATCHES_ALL)),
        *((ctypes_in_more_than_one_place, path) for path in sorted(USES_CTYPES)),
    ],
)
def test_no_exception_to_a_rule_outlives_its_reason(rule: Rule, allowed: str) -> None:
    [module] = [module for module in the_house() if module.path == allowed]
    assert list(rule(Module("transport/elsewhere.py", module.tree)))


BREACHES: tuple[tuple[Rule, str, str], ...] = (
    (imports_that_do_not_point_down, "protocol/a.py", "import mailssl_trio.gateway"),
    (imports_that_do_not_point_down, "tls/a.py", "from mailssl_trio import auth"),
    (
        imports_that_do_not_point_down,
        "mailbox/a.py",
        "from mailssl_trio.config.model import Mail",
    ),
    (
        imports_that_do_not_point_down,
        "observer.py",
        "def f():\n    from mailssl_trio.transport.wire import Wire",
    ),
    (
        imports_that_do_not_point_down,
        "auth/a.py",
        "if TYPE_CHECKING:\n    from mailssl_trio.server import Server",
    ),
    (imports_that_do_not_point_down, "worker.py", "import mailssl_trio.novelty"),
    (imports_that_do_not_point_down, "__init__.py", "import mailssl_trio.protocol"),
    (relative_imports, "tls/a.py", "from .policy import Policy"),
    (relative_imports, "tls/a.py", "from .. import gateway"),
    (modules_without_a_floor, "novelty.py", ""),
    (modules_without_a_floor, "novelty/a.py", ""),
    *(
        (impure_imports_of_protocols, "protocol/pop3/server.py", f"import {module}")
        for module in ("trio", "ssl", "socket", "logging", "time", "os.path", "asyncio")
    ),
    (impure_imports_of_protocols, "protocol/a.py", "def f():\n  from time import time"),
    (
        protocols_that_know_each_other,
        "protocol/pop3/a.py",
        "from mailssl_trio.protocol.smtp.grammar import Reply",
    ),
    (
        protocols_that_know_each_other,
        "protocol/engine.py",
        "from mailssl_trio.protocol import imap",
    ),
    *(
        (
            handlers_that_swallow_everything,
            "gateway.py",
            f"try:\n    f()\nexcept{what}:\n    pass",
        )
        for what in (
            "",
            " Exception",
            " BaseException as e",
            " (OSError, Exception)",
            " builtins.Exception",
            "* Exception",
        )
    ),
    (
        handlers_that_swallow_everything,
        "tls/server.py",
        "try:\n    f()\nexcept Exception as e:\n    raise KeyError from e",
    ),
    (ctypes_in_more_than_one_place, "tls/context.py", "from ctypes import CDLL"),
    (ctypes_in_more_than_one_place, "openssl.py", "import ctypes.util"),
    (prints_outside_the_command_line, "worker.py", "def f():\n    print('x')"),
)


@pytest.mark.parametrize(("rule", "path", "source"), BREACHES)
def test_a_breach_of_the_rule_is_seen(rule: Rule, path: str, source: str) -> None:
    assert list(rule(Module(path, ast.parse(source))))


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (
            imports_that_do_not_point_down,
            "gateway.py",
            "from mailssl_trio.auth.route import Route",
        ),
        (imports_that_do_not_point_down, "tls/a.py", "import mailssl_trio.tls.policy"),
        (
            imports_that_do_not_point_down,
            "cli/a.py",
            "from mailssl_trio import __version__",
        ),
        (
            protocols_that_know_each_other,
            "protocol/pop3/client.py",
            "from mailssl_trio.protocol.pop3.grammar import Reply",
        ),
        (
            handlers_that_swallow_everything,
            "tls/a.py",
            "try:\n    f()\nexcept BaseException:\n    g()\n    raise",
        ),
        (prints_outside_the_command_line, "cli/check.py", "print('x')"),
    ],
)
def test_what_is_right_is_left_alone(rule: Rule, path: str, source: str) -> None:
    assert list(rule(Module(path, ast.parse(source)))) == []
