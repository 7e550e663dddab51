"""The process that reads what anybody may have sent: what it may not do, and what happens to what is built to do harm."""

import io
import os
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import psutil
import pytest
from PIL import Image

from service.errors import Unavailable
from service.formats import qr, sandbox, sandboxed
from service.formats.pictures import FORMATS, MAX_PIXELS, read_picture
from service.formats.sandbox import Sandbox
from tests.unit.verifier.test_pdf import LINK, PROOF, attach, code, page_with, saved
from verifier.carried import MAX_FILE_BYTES, Carried
from verifier.errors import Malformed
from verifier.proof import MAX_BYTES


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def reason(box: Sandbox, data: bytes) -> str:
    with pytest.raises(Malformed) as raised:
        box.read(data)
    return raised.value.reason


# What is read


@pytest.mark.parametrize("kind", FORMATS)
def test_pictures_of_every_format_are_read(box: Sandbox, kind: str) -> None:
    assert box.read(encoded(code(LINK), kind)) == Carried("picture", (), (LINK,))


def test_what_the_service_draws_itself_is_read(box: Sandbox) -> None:
    assert box.read(qr.png(qr.symbol(LINK))).codes == (LINK,)


def test_a_pdf_is_read_with_its_attachment(box: Sandbox) -> None:
    pdf = page_with(LINK)
    attach(pdf, PROOF)
    assert box.read(saved(pdf)) == Carried("pdf", (PROOF,), (LINK,), 1, 1)


def test_photos_are_read_as_people_take_them() -> None:
    symbol = code(LINK).convert("RGB")
    wide = Image.new("RGB", (4000, 3000), (120, 110, 100))
    wide.paste(symbol.rotate(11, expand=True, fillcolor=(255, 255, 255)), (900, 700))
    assert read_picture(encoded(wide, "JPEG", quality=60)).codes == (LINK,)
    transparent = Image.new("RGBA", symbol.size, (0, 0, 0, 0))
    transparent.paste((0, 0, 0, 255), mask=Image.eval(symbol.convert("L"), lambda value: 255 - value))
    assert read_picture(encoded(transparent)).codes == (LINK,)
    palette = symbol.convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    assert read_picture(encoded(palette, "GIF")).codes == (LINK,)
    small = symbol.resize((symbol.width // 4, symbol.height // 4))
    assert read_picture(encoded(small)).codes == (LINK,)
    assert read_picture(encoded(Image.new("L", (1, 1)))).codes == ()


def test_two_codes_in_a_picture_are_both_told() -> None:
    wide = Image.new("L", (1200, 600), 255)
    wide.paste(code("one"), (20, 20))
    wide.paste(code("two"), (700, 20))
    assert set(read_picture(encoded(wide)).codes or ()) == {"one", "two"}


# What is refused


def png_of(width: int, height: int, *, honest: bool) -> bytes:
    """Of one colour, a few kilobytes for any size; one that is not honest has no more than a line of it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    line = bytes(width // 8 + 2)
    data = b"".join(packer.compress(line) for _ in range(height if honest else 1)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    image = encoded(Image.new("L", (8, 8)))
    packed = b"k\0\0" + zlib.compress(bytes(200 * 2**20))
    chunk = struct.pack(">I", len(packed)) + b"zTXt" + packed + struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    return image[:33] + chunk + image[33:]


def test_bombs_among_pictures_are_sentences(box: Sandbox) -> None:
    side = int(MAX_PIXELS**0.5) + 10
    assert reason(box, png_of(side, side, honest=True)) == "carried.too_many_pixels"
    assert reason(box, png_of(2**31 - 1, 2**31 - 1, honest=False)) in ("carried.too_many_pixels", "carried.picture_unreadable")
    assert reason(box, text_bomb()) in ("carried.picture_unreadable", "carried.too_costly")
    assert reason(box, encoded(Image.new("L", (64, 64)))[:60]) == "carried.picture_unreadable"
    assert reason(box, b"GIF89a\x40\x00\x40\x00" + b"\xff" * 3000) == "carried.picture_unreadable"
    assert reason(box, b"\x00\x00\x00\x18ftypheic" + bytes(100)) == "carried.picture_unreadable"
    assert reason(box, b"II*\x00" + bytes(100)) == "carried.picture_unreadable"
    assert reason(box, b"BM" + bytes(MAX_FILE_BYTES)) == "carried.too_large"


def content_bomb() -> bytes:
    """Nothing to read but a hundred million strokes."""
    pdf = page_with()
    packer = zlib.compressobj(9)
    stroke = b"0 0 m 500 500 l S\n" * 100_000
    packed = b"".join(packer.compress(stroke) for _ in range(200)) + packer.flush()
    stream = pdf.make_stream(b"")
    stream.write(packed, filter=pikepdf.Name.FlateDecode)
    pdf.pages[0].Contents = stream
    return saved(pdf)


def attachment_bomb() -> bytes:
    pdf = page_with()
    attach(pdf, b"")
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(1500)) + packer.flush()
    pdf.attachments["x.proof.json"].obj.EF.F.write(packed, filter=pikepdf.Name.FlateDecode)
    return saved(pdf)


def image_bomb() -> bytes:
    """A picture of 40,000 by 40,000 on a page."""
    pdf = page_with()
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(5000 * 100)) for _ in range(400)) + packer.flush()
    image = pdf.make_stream(b"")
    image.write(packed, filter=pikepdf.Name.FlateDecode)
    image.stream_dict = pikepdf.Dictionary(
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=40_000,
        Height=40_000,
        ColorSpace=pikepdf.Name.DeviceGray,
        BitsPerComponent=1,
        Filter=pikepdf.Name.FlateDecode,
    )
    name = pdf.pages[0].add_resource(image, pikepdf.Name.XObject)
    pdf.pages[0].Contents = pdf.make_stream(f"q 500 0 0 500 0 0 cm {name} Do Q".encode())
    return saved(pdf)


@pytest.mark.parametrize("bomb", [content_bomb, attachment_bomb, image_bomb])
def test_bombs_among_pdfs_end_in_time(box: Sandbox, bomb: Callable[[], bytes]) -> None:
    data = bomb()
    assert len(data) < 8 * 2**20
    began = time.monotonic()
    try:
        found = box.read(data)
    except Malformed as error:
        assert error.reason in ("carried.too_costly", "carried.pdf_unreadable")  # noqa: PT017  either may come
    else:
        assert not found.codes
    assert time.monotonic() - began < sandbox.TIMEOUT_S + 30
    assert box.read(encoded(code(LINK))).codes == (LINK,)  # and the next one is read as ever


def test_what_is_too_long_for_a_proof_is_cut_but_not_to_fit(box: Sandbox) -> None:
    pdf = page_with()
    attach(pdf, os.urandom(MAX_BYTES + 5000))
    [proof] = box.read(saved(pdf)).proofs
    assert len(proof) == MAX_BYTES + 1


# What the process may do


PROBES = {
    "open a file": "open('/etc/hostname').read()",
    "open a socket": "__import__('socket').socket()",
    "start a process": "__import__('os').fork()",
    "take memory": "bytearray(1200 * 2**20)",
}
MORE_PROBES = {
    "write a file": "open('/tmp/x', 'w')",
    "read the environment": "assert 'HOME' in __import__('os').environ or 'PATH' in __import__('os').environ",
}


@pytest.mark.parametrize("probe", (PROBES | MORE_PROBES).values(), ids=PROBES | MORE_PROBES)
def test_the_process_may_not(probe: str) -> None:
    """The probe stands where a library that was taken over would stand."""
    program = f"""
import os, socket, sys
from service.formats import sandboxed
def taken_over(data):
    try:
        {probe}
    except (OSError, MemoryError, AssertionError) as error:
        return {{"refused": type(error).__name__}}
    return {{"done": True}}
sandboxed._read, real = (lambda data: taken_over(data) if data == b"go" else real(data)), sandboxed._read
sys.exit(sandboxed.main())
"""
    ended = subprocess.run(
        [sys.executable, "-I", "-c", program], input=b"go", capture_output=True, timeout=60, env={"LC_ALL": "C.UTF-8"}, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(b'{"refused"'), ended.stdout


def test_it_is_nobody_with_a_network_of_its_own(box: Sandbox) -> None:
    box.read(encoded(code(LINK)))
    [waiting, *_] = box._ready
    deadline = time.monotonic() + 60
    limits = Path(f"/proc/{waiting.pid}/limits")
    while "Max open files            3 " not in limits.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if os.geteuid() == 0:
        while psutil.Process(waiting.pid).uids().real != sandboxed._NOBODY:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert Path(f"/proc/{waiting.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    # Our own variables are not there: they have secrets.
    assert set(Path(f"/proc/{waiting.pid}/environ").read_bytes().split(b"\0")) == {b"LC_ALL=C.UTF-8", b""}


# The parent


def test_a_worker_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_COMMAND", [sys.executable, "-c", "import time; time.sleep(60)"])
    slow = Sandbox(timeout_s=0.5)
    began = time.monotonic()
    assert reason(slow, b"x" * 1_000_000) == "carried.too_costly"  # it does not even read
    assert time.monotonic() - began < 30
    slow.close()


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "raise SystemExit(1)",
        "print('nonsense')",
        "print('[]')",
        "print('{}')",
        'print(\'{"kind":"pdf","proofs":["%"],"codes":[],"pages":1,"of":1}\')',
        'print(\'{"kind":"pdf","proofs":[],"codes":7,"pages":"x","of":1}\')',
        "import sys; sys.stdout.write('[' * 100_000_000)",
    ],
)
def test_whatever_a_worker_answers_no_more_than_a_sentence_comes_of_it(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_COMMAND", [sys.executable, "-c", program])
    taken = Sandbox(timeout_s=20)
    assert reason(taken, b"x") == "carried.too_costly"
    taken.close()


def test_no_more_than_a_few_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = tmp_path / "done"
    program = f"import os, time\nwhile not os.path.exists({str(done)!r}): time.sleep(0.05)"
    monkeypatch.setattr(sandbox, "_COMMAND", [sys.executable, "-c", program])
    monkeypatch.setattr(sandbox, "WAIT_S", 0.1)
    busy = Sandbox(timeout_s=120)
    threads = [threading.Thread(target=lambda: reason(busy, b"x"), daemon=True) for _ in range(sandbox.MAX_AT_ONCE)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    while busy._places._value:  # until both are at it
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(Unavailable, match="busy_reading"):
        busy.read(b"x")
    done.touch()
    for thread in threads:
        thread.join()
    busy.close()


def test_nothing_is_left_running() -> None:
    own = Sandbox()
    own.read(encoded(code(LINK)))
    waiting = [worker.pid for worker in own._ready]
    assert waiting
    own.close()
    assert not any(psutil.pid_exists(pid) for pid in waiting)


def test_a_worker_ends_with_its_parent() -> None:
    program = (
        "import os; from service.formats.sandbox import _COMMAND, start;"
        "worker = start(_COMMAND); print(worker.pid, flush=True); os._exit(0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    pid = int(ended.stdout)
    deadline = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
