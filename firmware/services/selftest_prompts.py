"""How the self-test speaks with the installer: what is said, what may be answered, what is seen meanwhile.

Everything that waits here goes on looking at the inputs, and through them at the way out.
"""

import unicodedata
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from firmware.runtime import aio
from firmware.services.selftest_bench import BAD, CARD, CLOSED, OPEN, PRESSED, Bench, Seen
from firmware.services.selftest_words import ANSWERS, WORDS

LOOK_MS = 10
LINES_LIMIT = 1000  #: answers that were typed ahead
FAIL, SKIP, AGAIN, QUIT, YES = "n", "s", "r", "q", "y"

#: Steps in which an input is seen, so that another one that answers is a crossed wire.
WATCHED = ("contact", "rex", "loop", "tamper", "latched")


class WireTest(NamedTuple):
    """One step. The first five as in `hal.board_tests.Test`.

    says  str  its sentence
    name  str  what people call the device
    """

    wire: str
    device: str
    role: str
    portal: str
    kind: str
    says: str
    name: str


class Answered(Exception):
    """The installer has answered: again, no, or left out, with what was said to it."""

    def __init__(self, letter: str, note: str) -> None:
        super().__init__(letter)
        self.letter = letter
        self.note = note


class Ended(Exception):
    """Nobody goes on: q, Ctrl-C, the end of what is typed."""


class Prompts:
    """The installer, across a `bench`; ``heard`` takes what is typed, ``over`` that nothing more will be.

    steps  list  all of them, for the names of what is seen
    say    callable (line)
    """

    def __init__(
        self,
        bench: Bench,
        steps: list[WireTest],
        loop: aio.Loop,
        say: Callable[[str], None],
        lang: str,
    ) -> None:
        self._bench = bench
        self._steps = steps
        self._loop = loop
        self._say = say
        self._words = WORDS[lang]
        self._lines: list[str] = []
        self._over = False
        #: Event  set by whoever ends it before its end
        self.ended = aio.Event()
        self._news: list[Seen] = []
        self._step = steps[0]
        self._trouble = ""
        self._wires: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        for step in steps:
            if step.wire:
                self._wires.setdefault(step.device, step.wire)
            self._names[step.device] = step.name
            self._kinds.setdefault(step.device, step.kind)

    def heard(self, line: str) -> None:
        """A line was typed."""
        if len(self._lines) < LINES_LIMIT:
            self._lines.append(line)

    def over(self) -> None:
        """Nothing more will be typed."""
        self._over = True

    async def ask(self, question: str) -> str | None:
        """A line of text that is not empty; None: nobody goes on, or "q" was typed and no more."""
        self._say(question)
        try:
            while True:
                line = (await self._typed()).strip()
                if line:
                    return None if understood(line) == (QUIT, "") else line
                self._tell("empty")
                self._say(question)
        except Ended:
            return None

    async def sure(self, question: str) -> bool | None:
        """A yes or no; None: nobody goes on."""
        while True:
            said = await self.ask(question)
            letter = None if said is None else understood(said)[0]
            if said is None or letter == QUIT:
                return None
            if letter in (YES, FAIL):
                return letter == YES
            self._tell("keys")

    async def _ready(self) -> None:
        self._tell("ready")
        await self._until(lambda: False, answer=True)

    async def _judge(self) -> None:
        self._tell("judge")
        while not await self._until(lambda: False, answer=True, empty=False):
            pass

    async def _fail(self, why: str) -> NoReturn:
        """It cannot be right any more: only another try, a failure, or leaving it out."""
        self._bench.rest()
        self._trouble = why
        self._say("  " + why)
        self._tell("failing")
        while True:
            await self._until(lambda: False)

    async def _typed(self) -> str:
        while True:
            await self._look()
            if self._lines:
                return self._lines.pop(0)

    async def _look(self, typed: bool = True) -> None:
        """One turn: what the inputs say is told, what is over ends. Raises `Ended`."""
        if self.ended.is_set() or (typed and self._over and not self._lines):
            raise Ended
        for seen in self._bench.look():
            self._news.append(seen)
            self._live(seen)
        if not (typed and self._lines):
            await aio.sleep_ms(LOOK_MS)

    async def _until(
        self,
        so: Callable[[], bool],
        ms: int | None = None,
        typed: bool = True,
        answer: bool = False,
        empty: bool = True,
    ) -> bool:
        """Wait until it is `so`, at most `ms`; whether it is. Raises `Answered` and `Ended`.

        typed   answers are taken now
        answer  a yes is an answer that counts as `so`; `empty`: and so is Enter alone
        """
        end_ms = None if ms is None else self._loop.now_ms() + ms
        while not so():
            if end_ms is not None and self._loop.now_ms() >= end_ms:
                return False
            await self._look(typed)
            if typed and self._lines and not so():
                letter, note = understood(self._lines.pop(0))
                if answer and (letter == YES or (letter == "" and empty)):
                    return True
                self._take(letter, note, answer)
        return True

    def _take(self, letter: str | None, note: str, answer: bool) -> None:
        if letter == QUIT:
            raise Ended
        if letter in (FAIL, SKIP, AGAIN):
            raise Answered(str(letter), note)
        if letter == YES:
            self._tell("not_yet")
        elif letter is None or answer:
            self._tell("keys")

    def _of(self, step: WireTest) -> list[Seen]:
        return [one for one in self._news if one.device == step.device]

    def _live(self, seen: Seen) -> None:
        wire = self._wires.get(seen.device, "")
        tail = seen.secret.reveal() if seen.secret is not None and seen.what == CARD else ""
        what = self._words.get(seen.what, seen.what).format(form=seen.form, tail=tail)
        if seen.permille is not None:
            what += f" ({seen.permille} ‰)"
        name = self._names.get(seen.device, seen.device)
        self._tell("news", wire=wire, name=name, what=what)
        step = self._step
        if seen.device == step.device and seen.what == BAD:
            self._tell("crossed_data")
        if not self._of(step) and self._crossed(seen, step):
            self._tell("other", wire=wire, expected=step.wire)

    def _crossed(self, seen: Seen, step: WireTest) -> bool:
        """Whether `seen` may be what `step` waits for, on another wire."""
        if step.kind == "card":
            return seen.what == CARD
        watched = step.kind in WATCHED and self._kinds.get(seen.device) in WATCHED
        return watched and seen.what in (OPEN, CLOSED, PRESSED)

    def _tell(self, word: str, **fields: object) -> None:
        self._say(str(self._words[word]).format(**fields))


def understood(line: str) -> tuple[str | None, str]:
    """Return the letter of an answer ("": Enter alone, None: not understood) and what is said with it."""
    word, _, note = unicodedata.normalize("NFKC", line).strip().partition(" ")
    return ("" if not word else ANSWERS.get(word.lower())), note.strip()
