"""Import jobs: a file that carries invoices is taken at once, and registered row by row by the worker.

The file is kept as it was sent. Rows are finished in order and in small transactions, so a job that was killed goes on behind the
last one; and the worker's anchoring never waits longer than for one of them.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from service.config import Settings
from service.db import Database
from service.errors import Refused
from service.formats import FormatError, ImportedInvoice, tax_xml
from service.invoices.content import Profile
from service.invoices.preparing import Prepared, Submission, fresh_salts, prepare
from service.invoices.registration import Registered, findings_from_json, findings_to_json, register
from service.invoices.rules import BEIJING
from service.invoices.tables import import_rows, imports
from service.ledger import health
from service.ledger.receipts import ReceiptKeys

ROWS_AT_ONCE = 100
_ZIP = b"PK\x03\x04"


def create(
    connection: Connection,
    data: bytes,
    file_name: str | None,
    owner: str,
    sellers: frozenset[str],
    profile: Profile,
    dry_run: bool,
    now_ms: int,
) -> str:
    """Queue a file (tax XML, or a zip of such) and return the job's id. What is wrong with it shows in the job."""
    id_ = secrets.token_hex(8)
    row = {
        "id": id_,
        "owner": owner,
        "sellers": orjson.dumps(sorted(sellers)).decode(),
        "profile": profile,
        "dry_run": int(dry_run),
        "file_name": file_name and file_name[:255],
        "sha256": sha256(data).digest(),
        "file": data,
        "state": "queued",
        "done": 0,
        "created_at": now_ms,
    }
    connection.execute(insert(imports), row)
    return id_


def status(connection: Connection, id_: str, owner: str, after: int = -1, limit: int = 1000) -> dict[str, Any]:
    """The job with its counts, and up to `limit` of its rows behind row `after`. Raises Refused("not_found")."""
    columns = [
        imports.c[n] for n in ("id", "file_name", "sha256", "profile", "dry_run", "state", "done", "created_at", "finished_at")
    ]
    job = connection.execute(select(*columns).where(imports.c.id == id_, imports.c.owner == owner)).one_or_none()
    if job is None:
        raise Refused("not_found")
    refused = connection.scalar(select(func.count()).where(import_rows.c.import_id == id_, import_rows.c.problem.is_not(None)))
    rows = connection.execute(
        select(import_rows)
        .where(import_rows.c.import_id == id_, import_rows.c.row > after)
        .order_by(import_rows.c.row)
        .limit(limit)
    ).all()
    return {
        "id": job.id,
        "file_name": job.file_name,
        "sha256": job.sha256.hex(),
        "profile": job.profile,
        "dry_run": bool(job.dry_run),
        "state": job.state,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "counts": {"rows": job.done, "accepted": job.done - (refused or 0), "refused": refused or 0},
        "rows": [
            {
                "row": row.row,
                "file": row.file,
                "number": row.number,
                "problem": _problem_from_json(row.problem),
                "findings": findings_from_json(row.findings),
            }
            for row in rows
        ],
        "next_row": rows[-1].row if len(rows) == limit else None,
    }


def _problem_to_json(refused: Refused) -> str:
    findings = findings_to_json(refused.findings)
    return orjson.dumps({"code": refused.code, "params": refused.params, "extra": refused.extra, "findings": findings}).decode()


def _problem_from_json(text: str | None) -> Refused | None:
    if text is None:
        return None
    kept = orjson.loads(text)
    return Refused(kept["code"], kept["params"], extra=kept["extra"], findings=findings_from_json(kept["findings"]))


class Importer:
    """Works off the queue, one step of at most ROWS_AT_ONCE rows at a time. `clock` gives seconds since 1970 UTC."""

    def __init__(
        self,
        database: Database,
        keys: ReceiptKeys,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._job: str | None = None
        self._rows: Iterator[ImportedInvoice | FormatError] = iter(())

    def step(self) -> bool:
        """Finish the next rows of the oldest unfinished job; False where there is none."""
        with self._database.read() as connection:
            waiting = select(imports).where(imports.c.state != "done").order_by(imports.c.created_at, imports.c.id).limit(1)
            job = connection.execute(waiting).one_or_none()
        if job is None:
            self._job = None
            return False
        if self._job != job.id:
            self._job, self._rows = job.id, islice(_read(job.file, job.file_name or ""), job.done, None)
        rows = list(islice(self._rows, ROWS_AT_ONCE))
        try:
            self._finish(job, rows)
        except BaseException:
            self._job = None  # what was read is lost: the next step reads the file again, behind the rows that are finished
            raise
        return True

    def _finish(self, job: Any, rows: list[ImportedInvoice | FormatError]) -> None:
        now = self._clock()
        today = datetime.fromtimestamp(now, BEIJING).date()
        sellers = frozenset(orjson.loads(job.sellers))
        salts = fresh_salts()
        prepared = [_prepare(row, job.profile, sellers, today, salts) for row in rows]
        good = [one for one in prepared if isinstance(one, Prepared)]
        with self._database.write() as connection:
            outcomes: list[Registered | Refused] = []
            if not job.dry_run:
                deadline = int(now * 1000) + 1000 * health.promise_s(health.read(connection), now, self._settings)
                outcomes = register(connection, good, job.owner, self._keys, int(now * 1000), deadline)
            left = iter(outcomes)
            results = [next(left, one) if isinstance(one, Prepared) else one for one in prepared]
            kept = [_row(job, n, row, result) for n, (row, result) in enumerate(zip(rows, results, strict=True))]
            if kept:
                connection.execute(insert(import_rows), kept)
            end = {"state": "running"} if len(rows) == ROWS_AT_ONCE else {"state": "done", "finished_at": int(now * 1000)}
            connection.execute(update(imports).where(imports.c.id == job.id).values(done=job.done + len(rows), **end))


def _read(data: bytes, file_name: str) -> Iterator[ImportedInvoice | FormatError]:
    if data.startswith(_ZIP):
        try:
            yield from tax_xml.iter_zip(BytesIO(data))
        except FormatError as error:
            yield error
        return
    try:
        yield tax_xml.parse(data, file=file_name)
    except FormatError as error:
        yield error


def _prepare(
    row: ImportedInvoice | FormatError, profile: Profile, sellers: frozenset[str], today: Any, salts: Iterator[bytes]
) -> Prepared | Refused:
    if isinstance(row, FormatError):
        return row
    try:
        return prepare(Submission(row.sections, profile, found=row.findings), sellers, today, salts)
    except Refused as refused:
        return refused


def _row(job: Any, n: int, row: ImportedInvoice | FormatError, result: Prepared | Registered | Refused) -> dict[str, Any]:
    return {
        "import_id": job.id,
        "row": job.done + n,
        "file": (row.file or None) and row.file[:255],
        "number": row.number if isinstance(row, ImportedInvoice) else None,
        "entry_id": result.issued.id if isinstance(result, Registered) else None,
        "problem": _problem_to_json(result) if isinstance(result, Refused) else None,
        "findings": None if isinstance(result, Refused) else findings_to_json(result.findings),
    }
