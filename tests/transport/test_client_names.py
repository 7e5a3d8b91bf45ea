"""A client's name is what its address says, if the name says the same of it."""

import pytest

from mailssl_trio.transport.client_names import ClientNames
from mailssl_trio.transport.resolver import ClientName, Resolver
from tests.transport.dns_server import GARBAGE, REFUSED, SILENCE, DnsServer, dns_server

CLIENT, PTR = "192.0.2.7", "7.2.0.192.in-addr.arpa. PTR"
PTR6 = f"7{'.0' * 23}.8.b.d.0.1.0.0.2.ip6.arpa. PTR"
IN_ADDRESS = "in resolving client address"
IN_HOST_NAME = "in resolving client hostname"


def ptr(target: str, ttl: int = 300) -> str:
    return f"{PTR.split(maxsplit=1)[0]} {ttl} IN PTR {target}"


def a(*addresses: str, name: str = "mx.example.", ttl: int = 300) -> str:
    return "\n".join(f"{name} {ttl} IN A {address}" for address in addresses)


def names(
    server: DnsServer,
    timeout: float = 5.0,
    valid: float | None = None,
    *,
    ipv4: bool = True,
) -> ClientNames:
    asked = (("127.0.0.1", server.port),)
    return ClientNames(Resolver(asked, valid, ipv4, timeout=timeout))


@pytest.mark.parametrize("client", [CLIENT, f"::ffff:{CLIENT}"])
async def test_name_that_has_the_address_is_the_clients(client: str) -> None:
    records = {PTR: ptr("mx.example."), "mx.example. A": a("192.0.2.6", CLIENT)}
    async with dns_server(records) as server:
        assert await names(server).name_of(client) == ClientName("mx.example")


async def test_client_of_ipv6_has_a_name_too() -> None:
    records = {
        PTR6: f"{PTR6.split(maxsplit=1)[0]} 60 IN PTR mx.example.",
        "mx.example. AAAA": "mx.example. 60 IN AAAA 2001:db8::7",
    }
    async with dns_server(records) as server:
        assert await names(server).name_of("2001:db8::7") == ClientName("mx.example")


async def test_alias_is_followed_where_its_target_is_in_the_answer() -> None:
    """RFC 2317: who has less than a network of 256 has its names elsewhere."""
    alias, end = "7.a.2.0.192.in-addr.arpa.", PTR.split(maxsplit=1)[0]
    records = {
        PTR: f"{end} 60 IN CNAME {alias}\n{alias} 60 IN PTR mx.example.",
        "mx.example. A": a(CLIENT),
    }
    async with dns_server(records) as server:
        assert (await names(server).name_of(CLIENT)).host == "mx.example"


NOT_FOUND, FAILED = "3: Host not found", "2: Server failure"
NO_TIME = "110: Operation timed out"


@pytest.mark.parametrize(
    ("said", "host", "code"),
    [
        (None, "[UNAVAILABLE]", NOT_FOUND),
        ("", "[UNAVAILABLE]", NOT_FOUND),
        (REFUSED, "[TEMPUNAVAIL]", FAILED),
        (GARBAGE, "[TEMPUNAVAIL]", NO_TIME),
        (SILENCE, "[TEMPUNAVAIL]", NO_TIME),
    ],
)
@pytest.mark.parametrize("step", [IN_ADDRESS, IN_HOST_NAME])
async def test_client_without_an_answer_has_no_name(
    step: str, said: str | None, host: str, code: str
) -> None:
    first = {PTR: ptr("mx.example.")} if step == IN_HOST_NAME else {}
    asked = PTR if step == IN_ADDRESS else "mx.example. A"
    records = first if said is None else {**first, asked: said}
    async with dns_server(records) as server:
        found = await names(server, timeout=0.3).name_of(CLIENT)
    who = CLIENT if step == IN_ADDRESS else '"mx.example"'
    assert found == ClientName(host, f"{who} could not be resolved ({code})", step)


async def test_name_that_has_another_address_is_nobodys() -> None:
    records = {PTR: ptr("mx.example."), "mx.example. A": a("192.0.2.6")}
    async with dns_server(records) as server:
        assert await names(server).name_of(CLIENT) == ClientName("[UNAVAILABLE]")


@pytest.mark.parametrize(
    "target",
    [
        r"a\013\010LOGIN=admin.",
        r"a\032LOGIN=admin.example.",
        r"a\.b_c.",
        "mx_1.example.",
        r"\000.",
        r"gr\195\188n.example.",
        ".",
    ],
)
async def test_name_that_is_none_is_never_told(target: str) -> None:
    async with dns_server({PTR: ptr(target)}) as server:
        found = await names(server).name_of(CLIENT)
        assert len(server.asked) == 1
    assert found.host == "[TEMPUNAVAIL]"
    assert found.problem.startswith(f'{CLIENT} resolved to invalid host name "')
    assert found.action == IN_ADDRESS


async def test_client_of_a_path_is_not_asked_about() -> None:
    async with dns_server({}) as server:
        assert await names(server).name_of("unix:") == ClientName("[TEMPUNAVAIL]")
        assert server.asked == []


async def test_family_that_is_off_is_not_asked_for() -> None:
    records = {PTR: ptr("mx.example."), "mx.example. A": a(CLIENT)}
    async with dns_server(records) as server:
        found = await names(server, ipv4=False).name_of(CLIENT)
        assert server.asked == [PTR]
    assert found == ClientName("[UNAVAILABLE]")


@pytest.mark.parametrize(
    ("ttl", "valid", "questions"), [(300, None, 2), (0, None, 4), (0, 30.0, 2)]
)
async def test_answers_are_remembered_as_long_as_they_say_or_we_do(
    ttl: int, valid: float | None, questions: int
) -> None:
    records = {PTR: ptr("mx.example.", ttl), "mx.example. A": a(CLIENT, ttl=ttl)}
    async with dns_server(records) as server:
        asking = names(server, valid=valid)
        for _ in range(2):
            assert (await asking.name_of(CLIENT)).host == "mx.example"
        assert len(server.asked) == questions


async def test_second_resolver_answers_where_the_first_refuses() -> None:
    records = {PTR: ptr("mx.example."), "mx.example. A": a(CLIENT)}
    refused = dict.fromkeys(records, REFUSED)
    async with dns_server(refused) as one, dns_server(records) as other:
        asked = tuple(("127.0.0.1", server.port) for server in (one, other))
        asking = ClientNames(Resolver(asked, timeout=5.0))
        assert (await asking.name_of(CLIENT)).host == "mx.example"
