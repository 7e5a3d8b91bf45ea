"""Every parser and every session, by its name."""

from collections.abc import Mapping

from tests.fuzz import client_sessions, documents, grammars, server_sessions, wires
from tests.fuzz.target import Target

TARGETS: Mapping[str, Target] = {
    target.name: target
    for module in (server_sessions, client_sessions, grammars, documents, wires)
    for target in module.TARGETS
}
