"""QR codes as pictures, as the film that a camera takes, and as pages of a PDF."""

import io
from pathlib import Path

import pikepdf
from PIL import Image, ImageDraw

from service.formats import qr

WIDTH, HEIGHT, FRAMES = 640, 480, 20


def picture(*texts: str, margin: int = 40, scale: int = 5) -> Image.Image:
    """The codes side by side on white paper."""
    drawn = [_code(text, scale) for text in texts]
    width = sum(code.width for code in drawn) + margin * (len(drawn) + 1)
    sheet = Image.new("L", (width, max(code.height for code in drawn) + 2 * margin), 255)
    x = margin
    for code in drawn:
        sheet.paste(code, (x, margin))
        x += code.width + margin
    return sheet


def _code(text: str, scale: int) -> Image.Image:
    modules = qr.symbol(text).modules
    image = Image.new("L", (len(modules[0]), len(modules)), 255)
    image.putdata([0 if dark else 255 for row in modules for dark in row])
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def film(text: str, path: Path) -> None:
    """What a camera sees that comes to hold a code: YUV4MPEG2, which Chromium takes for a camera."""
    code = _code(text, 6)
    with path.open("wb") as out:
        out.write(b"YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n" % (WIDTH, HEIGHT))
        for n in range(FRAMES):
            scene = Image.new("L", (WIDTH, HEIGHT), 200)
            ImageDraw.Draw(scene).rectangle((60, 20, WIDTH - 60, HEIGHT - 20), fill=250)
            if n >= 2:
                scene.paste(code, ((WIDTH - code.width) // 2 + n % 3, (HEIGHT - code.height) // 2))
            out.write(b"FRAME\n" + scene.tobytes() + b"\x80" * (WIDTH * HEIGHT // 2))


def pdf(page: Image.Image, *attached: bytes, names: tuple[str, ...] = ("a.proof.json", "b.proof.json")) -> bytes:
    """A page with a picture on it, and proof files attached."""
    made = pikepdf.new()
    image = pikepdf.Stream(made, page.tobytes(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image)
    image.Width, image.Height, image.BitsPerComponent = page.width, page.height, 8
    image.ColorSpace = pikepdf.Name.DeviceGray
    made.add_blank_page(page_size=(595, 842))
    size = min(555, page.width), min(555, page.width) * page.height / page.width
    made.pages[0].Contents = made.make_stream(b"q %.2f 0 0 %.2f 20 200 cm /Im0 Do Q" % size)
    made.pages[0].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
    for name, data in zip(names, attached, strict=False):
        made.attachments[name] = pikepdf.AttachedFileSpec(made, data, filename=name)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()
