"""The thread that deals with clients, none of which it waits for: only whole requests take a thread of their own."""

import logging
import os
import selectors
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import inf
from threading import Event, Thread
from time import monotonic, sleep

from manometer.background import in_background
from manometer.serving import at_once
from manometer.serving.connection import Connection
from manometer.serving.crowd import of_most
from manometer.serving.doors import BREATH, PAUSE, Doors
from manometer.serving.held import Held, Selector, ended
from manometer.serving.lane import Lane
from manometer.serving.listeners import Listener
from manometer.serving.places import places

__all__ = ["Reception"]

UNTAKEN = 4
"""Answers that an address may leave with us until it takes them in; its next scrapes wait."""
SENDING = 64 << 20
"""Bytes of answers that they have not taken in. What several share counts once, and one may be larger."""
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 50\r\n\r\n"
    b"too many requests wait for theirs; try again soon\n"
)

_log = logging.getLogger("manometer")


class Reception:
    """Takes connections, requests and answers over between the listeners' clients and threads that answer.

    shakes: whether a new connection begins with a handshake; lane: in which of the lanes a thread goes on with one;
    begin: has a thread go on with a connection and give it back, or raises RuntimeError where there is none; lacked:
    told which resource was missing for a connection, and by which error.
    """

    def __init__(
        self,
        listeners: list[Listener],
        shakes: Callable[[], bool],
        lanes: Sequence[Lane],
        lane: Callable[[Connection], Lane],
        begin: Callable[[Connection], None],
        lacked: Callable[[str, Exception | None], None],
    ) -> None:
        self._shakes, self._lanes, self._lane = shakes, lanes, lane
        self._begin, self._lacked = begin, lacked
        self._away: dict[Connection, Lane] = {}  # which a thread has
        self._open: set[Connection] = set()
        self._back: deque[Connection] = deque()
        self._places = places()
        self._next_wait_ends = inf
        self._closed, self._are_shut = Event(), Event()
        self._wakes, self._waker = socket.socketpair()
        self._wakes.setblocking(False)
        self._waker.setblocking(False)
        self._selector: selectors.BaseSelector = Selector()
        self._held = Held(self._selector, crowd=self._places.held // 2)
        self._doors = Doors(listeners, self._selector, self._came, lacked)
        self._thread: Thread | None = None

    def start(self) -> None:
        """Serve. Raises RuntimeError where no thread can be started."""
        self._thread = in_background(self._run, "manometer-http", self.stop)

    def give_back(self, connection: Connection) -> None:
        """A thread is through with the connection, for now."""
        self._back.append(connection)
        self._wake()

    def stop(self) -> None:
        """Take no connection and no request any more; answers under way still go out."""
        self._closed.set()
        self._wake()

    def close(self) -> None:
        """The same, and wait until it is so."""
        self.stop()
        if self._thread is None:
            self.abandon()
        else:
            self._are_shut.wait()

    def wait(self, seconds: float) -> None:
        """Wait until answers under way are out, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def abandon(self) -> None:
        """Close this process's copies of the sockets, which leaves the connections themselves alone."""
        self._selector.close()
        self._held.close()
        self._wakes.close()
        self._waker.close()
        for connection in list(self._open):
            with suppress(OSError):  # the parent was just closing it
                os.close(connection.socket.detach())

    def _wake(self) -> None:
        with suppress(OSError):  # it is woken already, or has ended
            at_once.send(self._waker, b"x")

    def _run(self) -> None:
        try:
            self._selector.register(self._wakes, selectors.EVENT_READ, self)
            while not self._closed.is_set():
                self._doors.open()
                self._pass()
            self._doors.shut(inf)
            self._are_shut.set()
            for lane in self._lanes:
                for connection in list(lane.waiting):
                    del lane.waiting[connection]
                    self._drop(connection)
            for connection in [each for each in self._held if not each.is_sending]:
                self._drop(connection)
            while self._open:
                self._pass()
        finally:
            self._are_shut.set()
            self.abandon()

    def _pass(self) -> None:
        try:
            self._once()
        except Exception:  # a fault of ours, which is not to end the exporter, nor to keep a core busy
            _log.exception("the exporter's server failed, and goes on")
            sleep(PAUSE)

    def _once(self) -> None:
        """Do what is to be done now; requests come before new connections, which may take the place of others."""
        events = [key.data for key, _ in self._selector.select(self._patience())]
        events += self._held.heard_now_and_then()
        for each in events:
            if isinstance(each, Connection) and each in self._held:
                self._safely(self._go_on, each)
            elif each is self:
                with suppress(OSError):
                    at_once.receive(self._wakes, 1 << 10)
        while self._back:
            self._take_back(self._back.popleft())
        for each in events:
            if isinstance(each, Listener):
                self._doors.take(each)
        self._end_turns()
        for lane in self._lanes:
            while lane.free and lane.waiting and (following := lane.next(self._burdens())) is not None:
                self._safely(self._hand_over, following)

    def _safely(self, step: Callable[[Connection], None], connection: Connection) -> None:
        try:
            step(connection)
        except Exception:  # such as for want of memory; it costs one client
            _log.exception("a connection was lost")
            self._drop(connection)

    def _go_on(self, connection: Connection) -> None:
        """There is something to read, or room to write."""
        if connection.shakes:
            self._hand_over(connection)
        else:
            self._go_on_without_thread(connection)

    def _go_on_without_thread(self, connection: Connection) -> None:
        if connection.is_sending:
            connection.send()
        if not (connection.is_over or connection.is_sending or connection.shakes):
            connection.receive()
        if connection.is_over or (self._closed.is_set() and not connection.is_sending):
            self._drop(connection)
        elif connection.is_sending or connection.shakes or not connection.has_request:
            self._hold(connection)
        else:
            self._hand_over(connection)

    def _take_back(self, connection: Connection) -> None:
        lane = self._away.pop(connection)
        lane.free += 1
        self._safely(self._go_on_without_thread, connection)

    def _hand_over(self, connection: Connection) -> None:
        """Have a thread go on with the connection, as soon as there is one."""
        self._held.let_go(connection)
        lane = self._lane(connection)
        if lane.free and (lane.spare or self._burdens().get(connection.peer, 0) < inf):
            try:
                self._begin(connection)
            except RuntimeError as error:
                self._refuse(connection, "thread", error)
            else:
                lane.free -= 1
                self._away[connection] = lane
        else:
            connection.wait()
            lane.waiting[connection] = connection.until
            self._next_wait_ends = min(self._next_wait_ends, connection.until)
            waiting = [each for lane in self._lanes for each in lane.waiting]
            if len(waiting) > self._places.waiting:
                last = of_most(waiting)[-1]
                self._give_up(last, next(lane for lane in self._lanes if last in lane.waiting))

    def _burdens(self) -> dict[str | None, float]:
        """How many answers each address has of us by now; without end, while it takes in none of some.

        By a Unix socket all have the same, None: one of them is not to keep the others from their answers.
        """
        untaken = Counter(each.peer for each in self._held.sending)
        all_of_us = untaken + Counter(each.peer for each in self._away)
        burdens: dict[str | None, float] = dict(all_of_us)
        return burdens | {peer: inf for peer, number in untaken.items() if peer is not None and number >= UNTAKEN}

    def _give_up(self, connection: Connection, lane: Lane) -> None:
        """It has waited in vain."""
        del lane.waiting[connection]
        self._refuse(connection, lane.lacks)

    def _refuse(self, connection: Connection, lacks: str, error: Exception | None = None) -> None:
        self._lacked(lacks, error)
        if not connection.shakes:
            connection.answer([_BUSY], closes=True)
        self._drop(connection)

    def _hold(self, connection: Connection) -> None:
        """Wait for the client."""
        self._held.keep(connection)
        if connection.is_sending:
            self._make_room_for_answer(connection)
        if len(self._held) > self._places.held:
            self._drop(min(of_most(list(self._held)), key=lambda each: each.silent_since))
            self._doors.shut(BREATH)

    def _make_room_for_answer(self, connection: Connection) -> None:
        sending = [each for each in self._held.sending if each is not connection]
        while sending and _bytes_of([*sending, connection]) > SENDING:
            first = of_most(sending)[0]
            sending.remove(first)
            self._drop(first)
            self._lacked("memory", None)

    def _drop(self, connection: Connection) -> None:
        self._held.let_go(connection)
        self._open.discard(connection)
        connection.close()

    def _end_turns(self) -> None:
        now = monotonic()
        for connection in self._held.end_turns(now):
            self._drop(connection)
        if now >= self._next_wait_ends:
            for lane in self._lanes:
                for connection in ended(lane.waiting.items(), now):
                    self._give_up(connection, lane)
            self._next_wait_ends = min(
                (until for lane in self._lanes for until in lane.waiting.values()), default=inf
            )

    def _patience(self) -> float | None:
        """Seconds until something is to be done that no client asks for; None where there is nothing."""
        until = min(self._next_wait_ends, self._held.due)
        until = until if self._closed.is_set() else min(until, self._doors.shut_until)
        return None if until == inf else max(0.0, until - monotonic())

    def _came(self, client: socket.socket, peer: str | None, listener: Listener) -> None:
        try:
            connection = Connection(client, peer, listener, self._shakes())
        except Exception:
            _log.exception("a connection could not be taken")
            client.close()
        else:
            self._open.add(connection)
            # Where its request is there already, it waits no longer.
            self._safely(self._hold if connection.shakes else self._go_on_without_thread, connection)


def _bytes_of(sending: Iterable[Connection]) -> int:
    return sum({id(part): len(part) for each in sending for part in each.unsent}.values())
