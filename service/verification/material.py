"""What somebody holds, a proof file, a PDF or a picture of a QR code -> the report of protocol.md section 8."""

from service.db import Database
from service.formats.sandbox import Sandbox
from service.ledger import outbox
from service.verification.chain import ChainReadings
from service.verification.own_proofs import OwnProofs
from verifier.carried import is_pdf, unread_carried, verify_carried
from verifier.errors import Malformed
from verifier.fields import Chain
from verifier.report import Report
from verifier.retrieve import renew
from verifier.verify import verify

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")


class Verification:
    """For the threads of one process. `public_url` is the registry whose QR codes are its own."""

    def __init__(self, database: Database, chain: Chain, readings: ChainReadings, sandbox: Sandbox, public_url: str) -> None:
        self._database = database
        self._readings = readings
        self._sandbox = sandbox
        self._public_url = public_url
        self._own_proofs = OwnProofs(database, chain)

    def report(self, data: bytes, name: str | None) -> Report:
        """By the newest proof that the service has. `name` is how the report calls the file.

        Raises Unavailable("busy_reading"), and ChainUnavailable if no endpoint is set.
        """
        with self._database.read() as connection:
            newest = outbox.newest_final(connection)
        readers = [self._readings.reader(newest.seq if newest else 0)]
        mirrors = [self._public_url]
        if not (is_pdf(data) or is_picture(data)):
            return renew(verify(data, readers, file=name), readers, mirrors, self._own_proofs)
        try:
            carried = self._sandbox.read(data)
        except Malformed as error:
            return unread_carried(error, name)
        return verify_carried(carried, readers, mirrors=mirrors, post=self._own_proofs, home=self._public_url, file=name)

    def close(self) -> None:
        """End what was started for it."""
        self._sandbox.close()


def is_picture(data: bytes) -> bool:
    """By its first bytes, whether or not it can be read; what it is called does not count."""
    return data.startswith(_PICTURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or data[4:8] == b"ftyp"
