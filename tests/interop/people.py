"""Who has a mailbox here, and with what password: they are canaries, too."""

from base64 import b64encode

from attrs import field, frozen


@frozen
class Person:
    """A user, and the password that must never be written anywhere."""

    name: str
    password: str = field(repr=False)

    @property
    def octets(self) -> tuple[bytes, bytes]:
        """Name and password as they travel."""
        return self.name.encode(), self.password.encode()

    @property
    def sasl_plain(self) -> str:
        """The initial response of SASL PLAIN (RFC 4616 section 2)."""
        return b64encode(b"\0%b\0%b" % self.octets).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The password in every form in which it travels."""
        plain = b64encode(self.password.encode()).decode()
        return (self.password, plain, self.sasl_plain)


ALICE = Person("alice@example.org", "wonderland")
BOB = Person("bob@example.org", "builder")

AWKWARD = (
    Person("carol smith@example.org", "tan  staaf "),
    Person('dave"ace"@example.org', 'say "friend"'),
    Person("erin\\o@example.org", "back\\slash\\\\"),
    Person("frank%40%u@example.org", "100%s%n%"),
    Person("zoë@example.org", "pässwörd-日本"),
    Person("mixed'{12}@example.org", "(a)*{3+}~\"\\' %"),
)

EVERYBODY = (ALICE, BOB, *AWKWARD)

WRONG = "not-the-password"
"""What those present who have forgotten theirs."""

SECRETS = (WRONG, *(secret for person in EVERYBODY for secret in person.secrets))
