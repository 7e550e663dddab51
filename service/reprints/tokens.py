"""How an applicant, who has no account, proves to be the one: by a token of the case, and by one-time codes to the contact given.

    zpc_ ‖ case id ‖ _ ‖ secret (52, 256 bits in lower-case base32)

A token is shown once and stored hashed. A code of six digits is good for ten minutes and five tries, and a case gets five a day:
whoever guesses has 25 tries in a million a day.
"""

import re
import secrets
from base64 import b32encode
from hashlib import sha256
from hmac import compare_digest

from sqlalchemy import Connection, delete, insert, select, update

from service.reprints.tables import reprint_codes, reprint_tokens

PREFIX = "zpc_"
TOKEN_MS = 30 * 86_400_000
CODE_MS = 10 * 60_000
TRIES = 5
CODES_A_DAY = 5

_TOKEN = re.compile(r"zpc_(R[0-9]{6}-[0-9A-Z]{8})_[a-z2-7]{52}")
_DAY_MS = 86_400_000
_BEIJING_MS = 8 * 3_600_000


def new_token(connection: Connection, case_id: str, now_ms: int, *, is_only: bool = False) -> str:
    """One more token of the case, or the only one from now on."""
    of_case = reprint_tokens.c.case_id == case_id
    connection.execute(delete(reprint_tokens).where(of_case if is_only else of_case & (reprint_tokens.c.expires_at <= now_ms)))
    secret = b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
    token = f"{PREFIX}{case_id}_{secret}"
    row = {"token_hash": _hash(token), "case_id": case_id, "expires_at": now_ms + TOKEN_MS}
    connection.execute(insert(reprint_tokens), row)
    return token


def case_of(connection: Connection, token: str, now_ms: int) -> str | None:
    """The id of the case that a token is of; None where it is none, or has expired."""
    if _TOKEN.fullmatch(token) is None:
        return None
    query = select(reprint_tokens.c.case_id).where(
        reprint_tokens.c.token_hash == _hash(token), reprint_tokens.c.expires_at > now_ms
    )
    found: str | None = connection.scalar(query)
    return found


def new_code(connection: Connection, case_id: str, now_ms: int) -> str | None:
    """A code in the place of the one before; None where the case has had as many as a day has.

    Whoever asks at the same time waits: the case's row is locked by the caller.
    """
    day = (now_ms + _BEIJING_MS) // _DAY_MS
    known = connection.execute(
        select(reprint_codes.c.day, reprint_codes.c.sent).where(reprint_codes.c.case_id == case_id)
    ).one_or_none()
    sent = known.sent if known is not None and known.day == day else 0
    if sent >= CODES_A_DAY:
        return None
    code, salt = f"{secrets.randbelow(10**6):06}", secrets.token_bytes(16)
    values = {
        "code_hash": _hash_of_code(case_id, salt, code),
        "salt": salt,
        "expires_at": now_ms + CODE_MS,
        "tries_left": TRIES,
        "day": day,
        "sent": sent + 1,
    }
    if known is None:
        connection.execute(insert(reprint_codes), {"case_id": case_id, **values})
    else:
        connection.execute(update(reprint_codes).where(reprint_codes.c.case_id == case_id).values(values))
    return code


def seconds_to_next_day(now_ms: int) -> int:
    """Until codes are sent again."""
    return (_DAY_MS - (now_ms + _BEIJING_MS) % _DAY_MS) // 1000 + 1


def use_code(connection: Connection, case_id: str, code: str, now_ms: int) -> bool:
    """Whether this is the case's code, which is good once. A wrong one costs a try: so the caller's transaction has to be kept."""
    table = reprint_codes
    is_live = (table.c.case_id == case_id, table.c.expires_at > now_ms, table.c.tries_left > 0)
    tried = update(table).where(*is_live).values(tries_left=table.c.tries_left - 1).returning(table.c.salt, table.c.code_hash)
    row = connection.execute(tried).one_or_none()
    if row is None or not compare_digest(row.code_hash, _hash_of_code(case_id, row.salt, code)):
        return False
    connection.execute(update(table).where(table.c.case_id == case_id).values(tries_left=0))
    return True


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _hash_of_code(case_id: str, salt: bytes, code: str) -> bytes:
    return sha256(b"zhengpiao/code\x00" + salt + f"{case_id}\x00{code}".encode()).digest()
