"""An auth server that knows passwords, and so can check answers to challenges."""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from hashlib import md5
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.interop.auth_servers import REFUSAL, Ports
from tests.interop.people import ALICE, BOB, EVERYBODY, Person

TOKEN = "token-of-nobody-else"
"""Alice's."""

FAILURE = b'{"status":"invalid_token"}'

Headers = list[tuple[str, str]]


def _unescaped(environment: WSGIEnvironment, name: str) -> bytes:
    return unquote_to_bytes(environment.get(f"HTTP_AUTH_{name}", "").encode("latin-1"))


def _digest(person: Person, challenge: bytes, method: str) -> str:
    password = person.octets[1]
    if method == "apop":
        return md5(challenge + password).hexdigest()  # RFC 1939 section 7
    return hmac.new(password, challenge, "md5").hexdigest()


def _is_right(person: Person, environment: WSGIEnvironment) -> bool:
    presented = _unescaped(environment, "PASS").decode()
    match environment["HTTP_AUTH_METHOD"]:
        case "apop" | "cram-md5" as method:
            challenge = environment["HTTP_AUTH_SALT"].encode()
            return presented == _digest(person, challenge, method)
        case "xoauth2" | "oauthbearer":
            return person == ALICE and presented == TOKEN
        case "external":
            return environment.get("HTTP_AUTH_SSL") == "on" and not presented
        case _:
            return presented == person.password


def _verdict(environment: WSGIEnvironment) -> Headers:
    """Say yes or no, and to whom we give which password on the way."""
    method = environment["HTTP_AUTH_METHOD"]
    if method == "none":
        if BOB.name in environment["HTTP_AUTH_SMTP_TO"]:
            return [("Auth-Status", "OK")]
        return [("Auth-Status", "not through here"), ("Auth-Error-Code", "550 5.7.1")]
    name = _unescaped(environment, "USER").decode()
    for person in EVERYBODY:
        if person.name == name and _is_right(person, environment):
            if method == "xoauth2":  # goes on as it came
                return [("Auth-Status", "OK")]
            password = person.password.encode().decode("latin-1")
            return [("Auth-Status", "OK"), ("Auth-Pass", password)]
    return [
        ("Auth-Status", REFUSAL),
        ("Auth-Wait", "1"),
        ("Auth-Error-SASL", b64encode(FAILURE).decode()),
    ]


def judging(ports: Ports) -> WSGIApplication:
    """Return the application, which sends everybody to these backends."""

    def application(
        environment: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        port = str(ports[environment["HTTP_AUTH_PROTOCOL"]])
        where = [("Auth-Server", "127.0.0.1"), ("Auth-Port", port)]
        start("200 OK", [*_verdict(environment), *where])
        return []

    return application
