"""One connection to the auth server: HTTP/1.1 over a stream, by h11.

Only the headers of an answer are of interest. Its body is never waited for: what has
not come by then is read when the connection is wanted again.
"""

import re

import trio
from h11 import (
    CLIENT,
    DONE,
    NEED_DATA,
    PAUSED,
    Connection,
    Data,
    EndOfMessage,
    Request,
    Response,
)
from h11 import RemoteProtocolError as BrokenAnswerError

from mailssl_trio.auth.http_reply import AuthHttpError
from mailssl_trio.auth.http_request import Header
from mailssl_trio.transport.wire import Wire

MOST = 65536
"""Octets of an answer: its headers, and of its body what a connection is kept for."""

READ_SIZE = 16384

AT_ONCE = 0.01
"""Seconds that reading takes at most where something is there to be read."""

BLANK_LINE = re.compile(rb"\n\r?\n")
FOLDED = re.compile(rb"\n[ \t]")


class NeverReadError(Exception):
    """The connection was closed before a whole request had arrived: ask another."""


class Link:
    """A connection to the auth server, for a request at a time."""

    def __init__(self, stream: trio.abc.Stream, wire: Wire) -> None:
        self.stream = stream
        self.since = 0.0
        """When its last answer came."""
        self._wire = wire
        self._http = Connection(CLIENT, max_incomplete_event_size=MOST)
        self._answer = bytearray()

    async def ask(self, uri: str, headers: tuple[Header, ...]) -> tuple[Header, ...]:
        """Send a request; return the headers of an answer that says success.

        Raises AuthHttpError; and NeverReadError, where the auth server was closing
        this connection already and cannot have read the request.
        """
        request = Request(method="GET", target=uri, headers=list(headers))
        octets = self._http.send(request) or b""
        self._http.send(EndOfMessage())
        self._answer.clear()
        try:
            await self.stream.send_all(octets)
        except trio.BrokenResourceError:
            raise NeverReadError from None
        try:
            response = await self._response()
        except trio.BrokenResourceError:
            raise AuthHttpError("reset the connection") from None
        if response is None:
            self._judge_the_end(len(octets))
            raise AuthHttpError("prematurely closed connection")
        self.since = trio.current_time()
        return self._headers(response)

    async def may_be_asked(self) -> bool:
        """Read what is left of the last answer; return whether all is ready."""
        try:
            if not self._wire.is_readable():
                return await self._is_over()
            with trio.move_on_after(AT_ONCE):
                return await self._is_over()
        except (BrokenAnswerError, trio.BrokenResourceError):
            pass
        return False

    def _judge_the_end(self, sent: int) -> None:
        """Find out whether a connection ended before the request was there.

        A FIN acknowledges all that has arrived by then, so that what is outstanding
        behind it met a server that had closed already. A reset says nothing of that
        kind: what it destroys may have been read.
        """
        if not self._answer and self._wire.unsent() >= sent:
            raise NeverReadError

    @property
    def is_kept_open(self) -> bool:
        """Whether both sides mean to go on behind the last answer."""
        return self._http.our_state is DONE

    async def _response(self) -> Response | None:
        """Receive the head of an answer; None if the connection ends before that."""
        while True:
            try:
                event = self._http.next_event()
            except BrokenAnswerError as error:
                raise AuthHttpError(self._what_is_wrong(error)) from None
            if isinstance(event, Response):
                return event
            if event is NEED_DATA:
                if not (data := await self.stream.receive_some(READ_SIZE)):
                    return None
                self._answer += data
                if len(self._answer) > MOST:
                    raise AuthHttpError("sent too long response")
                self._http.receive_data(bytes(data))

    def _headers(self, response: Response) -> tuple[Header, ...]:
        """Check what HTTP leaves to us."""
        if not 200 <= response.status_code < 300:
            raise AuthHttpError(f"answered with status {response.status_code}")
        if FOLDED.search(BLANK_LINE.split(self._answer, 1)[0]):
            raise AuthHttpError("sent invalid header in response")
        return tuple(response.headers)

    @staticmethod
    def _what_is_wrong(error: BrokenAnswerError) -> str:
        """Say it without quoting anything, for it may be a password."""
        if error.error_status_hint == 431:
            return "sent too long response"
        if str(error).startswith("illegal status line"):
            return "sent invalid response"
        return "sent invalid header in response"

    async def _is_over(self) -> bool:
        """Read on as long as that takes no waiting."""
        body = 0
        while True:
            event = self._http.next_event()
            match event:
                case Data(data=part):
                    body += len(part)
                case EndOfMessage():
                    if self._http.our_state is not DONE:
                        return False
                    self._http.start_next_cycle()
                    unasked = self._http.trailing_data[0]
                    return not unasked and not self._wire.is_readable()
                case _ if event is PAUSED or body > MOST:
                    return False
                case _ if not self._wire.is_readable():
                    return False
                case _:
                    if not (data := await self.stream.receive_some(READ_SIZE)):
                        return False
                    self._http.receive_data(bytes(data))
