"""What came of a try, in words that lists and the retry rule share. Of what the other side said its status alone is kept."""


class Failed(Exception):
    """It was not delivered, as far as we know. `code` is for lists; `is_final`: trying again is of no use.

    `retry_after_s` is what the other side asked for.
    """

    def __init__(self, code: str, *, status: int | None = None, is_final: bool = False, retry_after_s: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.is_final = is_final
        self.retry_after_s = retry_after_s
