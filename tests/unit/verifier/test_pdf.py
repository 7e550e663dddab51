"""Reading PDFs: attachments, codes on pages, limits, and files that are broken in many ways."""

import io
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pikepdf
import pytest
import qrcode
from PIL import Image

from verifier import pdf as reader
from verifier.carried import MAX_FILE_BYTES, Carried
from verifier.errors import Malformed
from verifier.pdf import read_pdf

LINK = "https://registry.example/v#26112999000000000003.AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ"
PROOF = b'{"protocol":"zp1"}'


def code(text: str) -> Image.Image:
    made = qrcode.make(text, border=4)
    return made.get_image().convert("L")


def page_with(*texts: str, size: tuple[int, int] = (595, 842)) -> pikepdf.Pdf:
    """One page with a picture of each code, 110 points wide."""
    pdf = pikepdf.new()
    add_page(pdf, *texts, size=size)
    return pdf


def add_page(pdf: pikepdf.Pdf, *texts: str, size: tuple[int, int] = (595, 842)) -> None:
    page = pdf.add_blank_page(page_size=size)
    drawn = b""
    for n, text in enumerate(texts):
        image = code(text)
        stream = pdf.make_stream(image.tobytes())
        stream.stream_dict = pikepdf.Dictionary(
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=image.width,
            Height=image.height,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
        )
        name = page.add_resource(stream, pikepdf.Name.XObject)
        drawn += f"q 110 0 0 110 {40 + 130 * n} 600 cm {name} Do Q\n".encode()
    page.Contents = pdf.make_stream(drawn)


def attach(pdf: pikepdf.Pdf, data: bytes, name: str = "x.proof.json", mime_type: str = "") -> None:
    pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name, mime_type=mime_type)


def saved(pdf: pikepdf.Pdf, **options: object) -> bytes:
    written = io.BytesIO()
    pdf.save(written, **options)  # type: ignore[arg-type]
    return written.getvalue()


def test_attachment_and_code_are_read() -> None:
    pdf = page_with(LINK)
    attach(pdf, PROOF)
    assert read_pdf(saved(pdf)) == Carried("pdf", (PROOF,), (LINK,), 1, 1)


def test_attachments_are_told_by_name_or_type_and_each_counts_once() -> None:
    pdf = page_with()
    attach(pdf, b"other", "invoice.xml")
    attach(pdf, PROOF, "a.proof.json")
    attach(pdf, PROOF, "b.proof.json")
    attach(pdf, b"typed", "data.bin", mime_type="application/vnd.zhengpiao.proof+json")
    assert set(read_pdf(saved(pdf)).proofs) == {PROOF, b"typed"}


def test_an_associated_file_that_no_name_leads_to_is_found() -> None:
    pdf = page_with()
    spec = pikepdf.AttachedFileSpec(pdf, PROOF, filename="x.proof.json")
    pdf.Root.AF = pikepdf.Array([pdf.make_indirect(spec.obj), pikepdf.String("nonsense"), pikepdf.Dictionary()])
    assert read_pdf(saved(pdf)).proofs == (PROOF,)


def test_codes_are_looked_for_on_the_first_pages() -> None:
    pdf = pikepdf.new()
    for n in range(reader.MAX_PAGES + 2):
        add_page(pdf, f"page {n}")
    found = read_pdf(saved(pdf))
    assert found.codes == tuple(f"page {n}" for n in range(reader.MAX_PAGES))
    assert (found.pages, found.of) == (reader.MAX_PAGES, reader.MAX_PAGES + 2)


def test_several_codes_on_a_page_are_all_read() -> None:
    assert set(read_pdf(saved(page_with("one", "two", "three"))).codes or ()) == {"one", "two", "three"}


def test_a_code_that_is_annotated_onto_the_page_is_seen_as_a_reader_sees_it() -> None:
    pdf = page_with()
    page = pdf.pages[0]
    image = code(LINK)
    xobject = pdf.make_stream(image.tobytes())
    xobject.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=image.width,
        Height=image.height,
        ColorSpace=pikepdf.Name.DeviceGray,
        BitsPerComponent=8,
    )
    appearance = pdf.make_stream(b"q 110 0 0 110 0 0 cm /I Do Q")
    appearance.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Form,
        BBox=[0, 0, 110, 110],
        Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=xobject)),
    )
    stamp = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Stamp,
        Rect=[100, 100, 210, 210],
        F=4,
        AP=pikepdf.Dictionary(N=appearance),
    )
    page.Annots = pikepdf.Array([pdf.make_indirect(stamp)])
    assert read_pdf(saved(pdf)).codes == (LINK,)


def test_an_encrypted_file_is_said_to_be_so() -> None:
    pdf = page_with(LINK)
    data = saved(pdf, encryption=pikepdf.Encryption(owner="x", user="y"))
    with pytest.raises(Malformed) as raised:
        read_pdf(data)
    assert raised.value.reason == "carried.pdf_encrypted"


def test_a_file_that_only_forbids_changes_is_read() -> None:
    pdf = page_with(LINK)
    attach(pdf, PROOF)
    found = read_pdf(saved(pdf, encryption=pikepdf.Encryption(owner="x", user="")))
    assert found.proofs == (PROOF,)


def test_size_is_limited() -> None:
    with pytest.raises(Malformed) as raised:
        read_pdf(b"%PDF-1.7" + bytes(MAX_FILE_BYTES))
    assert raised.value.reason == "carried.too_large"


def test_a_huge_page_is_drawn_coarser() -> None:
    began = time.monotonic()
    assert read_pdf(saved(page_with(size=(14_400, 14_400)))).codes == ()
    assert time.monotonic() - began < 30


def bomb_in_attachment(pdf: pikepdf.Pdf) -> None:
    attach(pdf, bytes(100 * 2**20))


def bomb_of_bombs(pdf: pikepdf.Pdf) -> None:
    attach(pdf, b"")
    stream = pdf.attachments["x.proof.json"].obj.EF.F
    packed = zlib.compress(zlib.compress(zlib.compress(bytes(2**27))))
    stream.write(packed, filter=pikepdf.Array([pikepdf.Name.FlateDecode] * 3))


def many_objects(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Many = pikepdf.Array([pdf.make_indirect(pikepdf.Dictionary()) for _ in range(2100)])


def nested(pdf: pikepdf.Pdf) -> None:
    inner = pikepdf.Array()
    for _ in range(400):
        inner = pikepdf.Array([inner])
    pdf.Root.Deep = inner


def looping_names(pdf: pikepdf.Pdf) -> None:
    attach(pdf, PROOF)
    tree = pdf.Root.Names.EmbeddedFiles
    node = pdf.make_indirect(pikepdf.Dictionary(Names=tree.Names))
    node.Kids = pikepdf.Array([node, node])
    pdf.Root.Names.EmbeddedFiles = node


def no_stream(pdf: pikepdf.Pdf) -> None:
    attach(pdf, PROOF)
    pdf.attachments["x.proof.json"].obj.EF = pikepdf.Dictionary(F=pikepdf.String("none"))


def looping_pages(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Pages.Kids.append(pdf.Root.Pages)


def wrong_types(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Names = pikepdf.Array([1, 2])
    pdf.Root.AF = pikepdf.String("x")


@contextmanager
def only_malformed() -> Iterator[None]:
    """Whatever a file does: it is read, or it is Malformed."""
    with suppress(Malformed):
        yield


@pytest.mark.parametrize(
    "spoil",
    [bomb_in_attachment, bomb_of_bombs, many_objects, nested, looping_names, no_stream, looping_pages, wrong_types],
)
def test_what_is_built_to_do_harm_does_none(spoil: Callable[[pikepdf.Pdf], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_OBJECTS", 2000)
    pdf = page_with(LINK)
    spoil(pdf)
    data = saved(pdf)
    began = time.monotonic()
    with only_malformed():
        found = read_pdf(data)
        assert all(len(proof) <= 64 * 2**20 for proof in found.proofs)
    assert time.monotonic() - began < 60


def test_too_many_objects_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_OBJECTS", 2000)
    pdf = page_with(LINK)
    many_objects(pdf)
    with pytest.raises(Malformed) as raised:
        read_pdf(saved(pdf))
    assert raised.value.reason == "carried.too_costly"


def test_broken_files_are_read_or_refused_and_never_more() -> None:
    pdf = page_with(LINK)
    attach(pdf, PROOF)
    whole = saved(pdf)
    dice = random.Random(20261124)
    for _ in range(150):
        data = bytearray(whole)
        match dice.randrange(4):
            case 0:
                del data[dice.randrange(len(data)) :]
            case 1:
                start = dice.randrange(len(data))
                del data[start : start + dice.randrange(1, 400)]
            case 2:
                for _ in range(dice.randrange(1, 30)):
                    data[dice.randrange(len(data))] = dice.randrange(256)
            case 3:
                start = dice.randrange(len(data))
                data[start:start] = data[dice.randrange(len(data)) :][: dice.randrange(500)]
        with only_malformed():
            found = read_pdf(bytes(data))
            assert found.codes is None or set(found.codes) <= {LINK}


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"\x00" * 5000, b"%PDF-1.7\ntrailer<</Root 1 0 R>>"]
)
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed) as raised:
        read_pdf(data)
    assert raised.value.reason == "carried.pdf_unreadable"
