"""What is told when a law is broken."""


class Breach(BaseException):
    """A law is broken. Not an Exception: nothing in the firmware or its loop may catch it.

    law    str  short and the same for every story that breaks it in this way, such as "3 gap"
    at_ms  int  the story's time
    text   str  one line
    """

    def __init__(self, law: str, at_ms: int, text: str) -> None:
        super().__init__(f"law {law}: {text}")
        self.law = law
        self.at_ms = at_ms
        self.text = text
