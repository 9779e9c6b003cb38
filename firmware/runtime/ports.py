"""What the runtime needs from services: a journal, a store of keys, a link. Nothing here waits.

An answer comes through a callback on the loop's own thread. Portable; the controller's services
(`firmware.services`) and the simulator implement these, `firmware.runtime.memory` for boards with no disk.
"""

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Batch:
    """Records that are written in one piece, and what is kept with them.

    events   list of dict   events without what the journal adds (v, id, journal, seq, boot, prev, hash)
    at_ms    list of int    monotonic time of each
    kept     dict           key -> JSON value, or None: forget it
    """

    def __init__(
        self, events: "list[dict[str, Any]]", at_ms: "list[int]", kept: "dict[str, Any]"
    ) -> None:
        self.events = events
        self.at_ms = at_ms
        self.kept = kept
        #: bool  the door did not wait for it (law 3); the records say so
        self.late = False
        #: bool  it is on the disk
        self.durable = False
        #: list of callable ()  what waits for that, however long, and what waits no longer than a door does;
        #: `firmware.runtime.effects` calls them
        self.settled: list[Callable[[], None]] = []
        self.after: list[Callable[[], None]] = []

    def mark_late(self) -> None:
        """The door waits no longer for it; one that is durable, since this very moment too, is not late."""
        if not self.durable:
            self.late = True
            if self.durable:  # by the journal's thread, which tells that first and then asks
                self.late = False

    def settle(self) -> None:
        """It is durable: tell who waits for that."""
        for call in self.settled:
            call()


#: An effect: `call` when the records of the same answer are durable, or as late as a door would wait.
After = namedtuple("After", ("call",))
#: An effect: `call` when they are durable; never, if that does not come to pass.
Settled = namedtuple("Settled", ("call",))


class Journal:
    """Port: durable records, gapless and chained; also the outbox."""

    #: str  eight hex digits, the name of this journal; "" until it is open
    name = ""
    #: int  which start of this controller this is, from 1
    boot = 0
    #: dict  what was kept before this start
    kept: "dict[str, Any]" = {}
    #: bool  whether that could be read; if not, who may command is not known either
    kept_known = True
    #: callables ()  told when it can be read after all
    on_kept: "tuple[Callable[[], None], ...]" = ()
    #: int  UTC milliseconds of the last trusted record before this start; 0: none
    trusted_ms = 0
    #: callable (list of complete events, list of at_ms)  told of everything that became durable
    on_written: "Callable[[list[dict[str, Any]], list[int]], None] | None" = None
    #: bool  a bare record `system.checkpoint` is completed with a signature; else none is to be given
    signs = False
    #: callable ()  told when something has left by the host's word
    on_stored: "Callable[[], None] | None" = None
    #: callable ()  told when there is more to leave
    on_more: "Callable[[], None] | None" = None
    #: callable (ok: bool, text: str)  told when writing begins to fail, and when it works again
    on_health: "Callable[[bool, str], None] | None" = None

    def append(self, batch: Batch, done: "Callable[[Batch], None]") -> None:
        """Write `batch`; `done` is called when it is durable. Never raises; keeps trying."""
        raise NotImplementedError

    def pending(self, limit: int, done: "Callable[[list[tuple[int, str]]], None]") -> None:
        """The first `limit` events that nobody has, as (token, JSON); alarms first, else in order."""
        raise NotImplementedError

    def onward(
        self, limit: int, begin: bool, done: "Callable[[list[tuple[int, str]]], None]"
    ) -> None:
        """The next `limit` of these, each handed out once; `begin`: from the front again."""
        raise NotImplementedError

    def again(
        self, limit: int, begin: bool, done: "Callable[[list[tuple[int, str]]], None]"
    ) -> None:
        """The first `limit` events that the broker had at the last `begin`, and the host has not stored."""
        raise NotImplementedError

    def sent(self, seqs: "list[int]") -> None:
        """These have left. May be written later: an event may leave twice, never not at all."""
        raise NotImplementedError

    def taken(self, seqs: "list[int]") -> None:
        """The broker has these, the host has not said so: they wait, and leave again only for a reason."""
        raise NotImplementedError

    def stored(self, journal: str, seq: int, hash: str, done: "Callable[[bool], None]") -> None:
        """The host has every event of `journal` up to `seq`; `done` is told whether `hash` is ours there."""
        raise NotImplementedError

    def between(
        self,
        from_seq: int,
        to_seq: int,
        limit: int,
        done: "Callable[[list[tuple[int, str]]], None]",
    ) -> None:
        """The first `limit` events of a range, ends included, as (seq, JSON), left or not."""
        raise NotImplementedError

    def waiting(self) -> int:
        """How many events have not left."""
        raise NotImplementedError

    def held(self) -> int:
        """How many of them the broker has, while the host has not said so."""
        raise NotImplementedError

    def count(self) -> int:
        """How many events this journal has written in all."""
        raise NotImplementedError

    def first(self) -> int:
        """The oldest seq that is still there; 0: none."""
        raise NotImplementedError


#: A page of a set of keys (`Store.sync`).
#: version  int   of the set; never below the one in force
#: number   int   which page, from 1; in order
#: pages    int   how many there are
#: whole    bool  the set takes away what it does not name
#: upsert   list  keys, as `Store.apply` takes them
#: remove   list  record numbers
#: sender   str   who sends it: an operator's name, a blank, their public key; the same for the whole set
Page = namedtuple("Page", ("version", "number", "pages", "whole", "upsert", "remove", "sender"))


class Everybody:
    """As a set of record numbers: all there are."""

    def __contains__(self, number: object) -> bool:
        return True


#: What is so after a page.
#: version  int   of the set in force
#: applied  bool  the page was the last: it is this set
#: told     list | None  (key's id, what became of it), where they are not too many to be told
Synced = namedtuple("Synced", ("version", "applied", "told"))


class Store:
    """Port: the keys of this controller and what they may."""

    #: callable (text)  told of what goes wrong after the start
    on_problem: "Callable[[str], None] | None" = None

    @property
    def problems(self) -> "list[str]":
        """What went wrong with the keys before the start, one line each."""
        return []

    def find(self, kind: str, value: str, done: "Callable[[Any], None]") -> None:
        """Find the key of a card (its canonical number), a code (its text) or a PIN (its digits).

        `kind` is one of `firmware.access.access_point`'s; `done` gets a Credential or None.
        """
        raise NotImplementedError

    def stir(self) -> None:
        """A card is on its way: be awake for `find`. Nothing need happen."""

    def board_gives(self, levels: "Any", schedules: "Any") -> None:
        """Names of levels and schedules in the board config, which keys may name. Nothing need happen."""

    def apply(
        self,
        changes: "list[Any]",
        done: "Callable[[str | None, list[tuple[int, str]]], None]",
    ) -> "Any":
        """Make changes, all or none; `done` gets what was wrong, or None, and (key's id, what became of it).

        What a change is says `firmware.services.credential_store`.
        """
        raise NotImplementedError

    def sync(self, page: Page, done: "Callable[[str | None, Synced | None], None]") -> None:
        """Take a page of a set; `done` gets what was wrong, or None and what is so now."""
        raise NotImplementedError

    def withdraw(self, operator: str) -> None:
        """`operator` is not who they were: a set that they have begun is forgotten."""
        raise NotImplementedError

    def held(self) -> "tuple[int, int, bool]":
        """How many keys there are, the version of the set in force, and whether they can be read."""
        raise NotImplementedError

    def rights(self) -> "Any":
        """The `firmware.access.credential.Rights` in force."""
        raise NotImplementedError


class Message:
    """What came on a topic of ours that others may write.

    token     int    for `Transport.heard`
    topic     str    "command" or "stored"
    payload   bytes  as it came; empty where it was too long
    retained  bool   the broker had kept it
    flaw      str    why the link refused it at once, in a few words; "": it looks like one
    again     bool   the broker says that it has sent it before
    number    int    by which the broker knows it, this time and every time it sends it; 0: by none
    """

    def __init__(
        self,
        token: int,
        topic: str,
        payload: bytes,
        retained: bool = False,
        flaw: str = "",
        again: bool = False,
        number: int = 0,
    ) -> None:
        self.token = token
        self.topic = topic
        self.payload = payload
        self.retained = retained
        self.flaw = flaw
        self.again = again
        self.number = number


class Transport:
    """Port: carries messages to the broker while it can, and brings what comes for us."""

    #: callable (up: bool)  told when the broker is there, and when it is gone
    on_up: "Callable[[bool], None] | None" = None
    #: callable (token: int)  the broker has taken the message of that token
    on_taken: "Callable[[int], None] | None" = None
    #: callable (Message)  something came; `heard` is to follow, and until then nothing more may come
    on_message: "Callable[[Message], None] | None" = None

    def heard(self, token: int) -> None:
        """The message of `token` is dealt with: the broker may forget it. Nothing need happen."""

    def send(self, token: int, topic: str, payload: str, retain: bool) -> None:
        """Send at QoS 1. `token` comes back with `on_taken`; 0: nobody asks. Lost if it is down."""
        raise NotImplementedError
