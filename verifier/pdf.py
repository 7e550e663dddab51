"""What a PDF carries: proof files that are attached to it, and the QR codes on its pages. Needs the optional packages of `pdf`.

A PDF is a program of its own that anybody may have written: everything in it has a limit, and a server reads it in a process that
may crash. The libraries' limits are those of the process.
"""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pikepdf
import pypdfium2
import zxingcpp
from PIL import Image

from verifier.carried import MAX_FILE_BYTES, Carried
from verifier.errors import Malformed
from verifier.proof import MEDIA_TYPE, SUFFIX

MAX_PAGES = 5
"""On so many the codes are looked for."""
MAX_OBJECTS = 200_000
MAX_ATTACHMENTS = 100
MAX_PROOFS = 8
_DPI = 200
_MAX_PIXELS = 8_000_000
"""Of a page as it is drawn; a larger page is drawn coarser."""
_MAX_UNPACKED = 64 * 1024 * 1024
_MAX_CODES = 20

pikepdf.settings.set_qpdf_limits(
    doc_max_warnings=100,
    parser_max_container_size=1_000_000,
    dct_max_memory=_MAX_UNPACKED,
    dct_max_progressive_scans=20,
    flate_max_memory=_MAX_UNPACKED,
    png_max_memory=_MAX_UNPACKED,
    run_length_max_memory=_MAX_UNPACKED,
    tiff_max_memory=_MAX_UNPACKED,
)

# What the libraries raise for a file that is not as it should be.
_BROKEN = (
    pikepdf.PdfError,
    pypdfium2.PdfiumError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OSError,
    RuntimeError,
)


def read_pdf(data: bytes) -> Carried:
    """Raises Malformed where it cannot be read at all."""
    if len(data) > MAX_FILE_BYTES:
        raise Malformed("carried.too_large", limit=MAX_FILE_BYTES // 2**20)
    proofs = _attached_proofs(data)
    try:
        codes, pages, of = _codes_on_pages(data)
    except MemoryError:
        raise
    except _BROKEN:
        if not proofs:
            raise Malformed("carried.pdf_unreadable") from None
        return Carried("pdf", proofs, None, 0, 0)
    return Carried("pdf", proofs, codes, pages, of)


def codes_in(image: Image.Image) -> tuple[str, ...]:
    """The texts of the QR codes in a picture, each once."""
    found = zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return tuple(islice(dict.fromkeys(code.text for code in found), _MAX_CODES))


def _attached_proofs(data: bytes) -> tuple[bytes, ...]:
    """Of those attachments that say that they are proof files, by their name or type, each once."""
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            if len(pdf.objects) > MAX_OBJECTS:
                raise Malformed("carried.too_costly")
            found = dict.fromkeys(islice(_proofs_of(pdf), MAX_PROOFS))
    except pikepdf.PasswordError:
        raise Malformed("carried.pdf_encrypted") from None
    except _BROKEN:
        raise Malformed("carried.pdf_unreadable") from None
    return tuple(found)


def _proofs_of(pdf: pikepdf.Pdf) -> Iterator[bytes]:
    listed: list[Any] = [filespec.obj for _, filespec in islice(pdf.attachments.items(), MAX_ATTACHMENTS)]
    associated = pdf.Root.get("/AF")  # ISO 32000-2 section 14.13: an attachment may stand here alone
    if isinstance(associated, pikepdf.Array):
        listed += [item for item in islice(associated, MAX_ATTACHMENTS) if isinstance(item, pikepdf.Dictionary)]
    for filespec in listed:
        embedded = filespec.get("/EF", {})
        stream = embedded.get("/UF") or embedded.get("/F")
        name = str(filespec.get("/UF") or filespec.get("/F") or "")
        if isinstance(stream, pikepdf.Stream) and (
            name.endswith(SUFFIX) or stream.get("/Subtype") == pikepdf.Name("/" + MEDIA_TYPE)
        ):
            yield stream.read_bytes()


def _codes_on_pages(data: bytes) -> tuple[tuple[str, ...], int, int]:
    """The codes, on how many pages they were looked for, and how many pages there are."""
    document = pypdfium2.PdfDocument(data)
    try:
        of = len(document)
        codes: dict[str, None] = {}
        for number in range(min(of, MAX_PAGES)):
            page = document[number]
            width, height = page.get_size()
            fitting = (_MAX_PIXELS / max(width * height, 1.0)) ** 0.5
            bitmap = page.render(scale=min(_DPI / 72, fitting), grayscale=True)
            codes.update(dict.fromkeys(codes_in(bitmap.to_pil())))
            bitmap.close()
            page.close()
        return tuple(islice(codes, _MAX_CODES)), min(of, MAX_PAGES), of
    finally:
        document.close()
