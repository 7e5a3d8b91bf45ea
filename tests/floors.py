"""The rules of the house: imports only point down, and some things stand in one place.

Every rule is a function from a module's syntax tree to what is wrong with it.
"""

import ast
from collections.abc import Callable, Iterator
from typing import TypeAlias

from attrs import frozen

PACKAGE = "mailssl_trio"

FLOORS: tuple[frozenset[str], ...] = tuple(
    frozenset(floor.split())
    for floor in (
        "protocol",  # pure
        "files lines escaping observer rlimits",
        "logs visits",
        "tls",
        "transport",
        "auth",
        "limits",
        "config mailbox",
        "mail_session",
        "gateway",
        "admission",
        "client_life",
        "server",
        "embedded leaving messages",
        "answering resuming",
        "building channel",
        "worker",
        "supervision",
        "supervisor",
        "cli",
        "__main__",
    )
)
"""From the ground up; those of one floor do not see each other."""

PURE = frozenset(
    {
        "__future__",
        "attrs",
        "base64",
        "binascii",
        "collections",
        "enum",
        "functools",
        "hashlib",
        "hmac",
        "ipaddress",
        "itertools",
        "re",
        "struct",
        "typing",
    }
)
"""What the protocols may import: nothing here reads, writes, waits or logs."""

PROTOCOLS = frozenset({"imap", "pop3", "smtp"})
CATCHES_ALL = frozenset({"server.py"})
USES_CTYPES = frozenset({"tls/openssl.py"})


@frozen
class Module:
    """A file of the package, as far as the rules look at it."""

    path: str
    """Below the package, with slashes."""
    tree: ast.Module

    @property
    def floor_name(self) -> str:
        """The package or module that a floor names; "" for the root's own file."""
        name = self.path.partition("/")[0].removesuffix(".py")
        return "" if name == "__init__" else name

    @property
    def imports(self) -> Iterator[tuple[str, ...]]:
        """What it imports, wherever in the file, as paths of names."""
        for node in ast.walk(self.tree):
            match node:
                case ast.Import(names):
                    yield from (tuple(alias.name.split(".")) for alias in names)
                case ast.ImportFrom(module, names, level):
                    origin = ("",) * level + tuple((module or "").split("."))
                    yield from ((*origin, alias.name) for alias in names)

    @property
    def own_imports(self) -> Iterator[tuple[str, ...]]:
        """What it imports of this package, below the package's name."""
        return (path[1:] for path in self.imports if path[0] == PACKAGE)


def floor_of(name: str) -> int | None:
    """Return the height of a floor, None for what has none."""
    return next((height for height, floor in enumerate(FLOORS) if name in floor), None)


def imports_that_do_not_point_down(module: Module) -> Iterator[str]:
    """Yield imports of the same floor or of a higher one."""
    ours = floor_of(module.floor_name)
    for path in module.own_imports:
        theirs = floor_of(path[0]) if path else None
        if path and path[0] in {module.floor_name, "__version__"}:
            continue
        if ours is None or theirs is None or theirs >= ours:
            yield f"imports {'.'.join(path) or PACKAGE}"


def relative_imports(module: Module) -> Iterator[str]:
    """Yield imports that do not say where they point."""
    return (f"imports {'.'.join(path)}" for path in module.imports if path[0] == "")


def modules_without_a_floor(module: Module) -> Iterator[str]:
    """Yield modules that nobody has thought about; the root's own file has none."""
    if module.floor_name and floor_of(module.floor_name) is None:
        yield "stands on no floor"


def impure_imports_of_protocols(module: Module) -> Iterator[str]:
    """Yield what protocols import besides themselves and what is pure."""
    if module.floor_name == "protocol":
        for path in module.imports:
            if path[0] not in PURE | {PACKAGE}:
                yield f"imports {path[0]}"


def protocols_that_know_each_other(module: Module) -> Iterator[str]:
    """Yield imports from one protocol's folder of another, or of one from outside."""
    if module.floor_name == "protocol":
        own = module.path.split("/")[1]
        for path in module.own_imports:
            if set(path[1:2]) & PROTOCOLS - {own}:
                yield f"imports {'.'.join(path)}"


def handlers_that_swallow_everything(module: Module) -> Iterator[str]:
    """Yield handlers of all exceptions, but for those that pass them on."""
    if module.path not in CATCHES_ALL:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and _swallows_everything(node):
                yield f"catches everything in line {node.lineno}"


def _swallows_everything(handler: ast.ExceptHandler) -> bool:
    match handler.body[-1]:
        case ast.Raise(exc=None):
            return False
    caught = handler.type
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        kind is None or ast.unparse(kind).endswith(("Exception", "ExceptionGroup"))
        for kind in kinds
    )


def ctypes_in_more_than_one_place(module: Module) -> Iterator[str]:
    """Yield imports of ctypes, which lets C in, outside the file that tests it."""
    if module.path not in USES_CTYPES:
        for path in module.imports:
            if path[0] in {"ctypes", "_ctypes"}:
                yield "imports ctypes"


def prints_outside_the_command_line(module: Module) -> Iterator[str]:
    """Yield calls of print in what may run as a daemon."""
    if module.floor_name != "cli":
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Name("print")):
                    yield f"prints in line {node.lineno}"


Rule: TypeAlias = Callable[[Module], Iterator[str]]

RULES: tuple[Rule, ...] = (
    imports_that_do_not_point_down,
    relative_imports,
    modules_without_a_floor,
    impure_imports_of_protocols,
    protocols_that_know_each_other,
    handlers_that_swallow_everything,
    ctypes_in_more_than_one_place,
    prints_outside_the_command_line,
)
