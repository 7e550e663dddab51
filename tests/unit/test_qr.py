"""QR codes say what they should, at the size they should, in both formats."""

import io
import re
import secrets

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.formats import qr
from verifier.question import Question, parse_link

COMMITMENT = bytes(range(32))
NUMBER = "26112999000000000003"
LINK = f"https://registry.example/v#{NUMBER}.AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ"


def read(image: Image.Image) -> list[tuple[str, str]]:
    return [(code.text, code.ec_level) for code in zxingcpp.read_barcodes(image)]


def test_the_link_is_that_of_the_protocol() -> None:
    assert qr.link("https://registry.example", NUMBER, COMMITMENT) == LINK
    assert qr.link("https://registry.example/", NUMBER, COMMITMENT) == LINK
    assert parse_link(LINK) == ("https://registry.example", Question(NUMBER, COMMITMENT))


def test_a_symbol_has_correction_m_and_a_quiet_zone_of_four() -> None:
    drawn = qr.symbol(LINK)
    side = len(drawn.modules)
    for row in (*drawn.modules[:4], *drawn.modules[-4:]):
        assert not any(row)
    assert all(not any(row[:4]) and not any(row[-4:]) for row in drawn.modules)
    assert drawn.modules[4][4]
    image = Image.open(io.BytesIO(qr.png(drawn)))
    assert read(image) == [(LINK, "M")]
    assert drawn.mm * (side - 8) / side == pytest.approx(25)


@pytest.mark.parametrize("mm", [25, 40.5, 200])
def test_png_prints_at_its_size(mm: float) -> None:
    drawn = qr.symbol(LINK, mm)
    image = Image.open(io.BytesIO(qr.png(drawn)))
    assert image.mode == "1"
    assert image.width % len(drawn.modules) == 0
    printed = image.width / image.info["dpi"][0] * 25.4
    assert printed * (len(drawn.modules) - 8) / len(drawn.modules) == pytest.approx(mm, rel=1e-3)


def test_svg_holds_nothing_but_two_paths() -> None:
    drawn = qr.symbol(LINK)
    text = qr.svg(drawn).decode()
    assert set(re.findall(r"<(\w+)", text)) == {"svg", "path"}
    assert f'width="{drawn.mm:.2f}mm"' in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@settings(max_examples=40, deadline=None)
@given(
    st.from_regex(r"[0-9A-Z][0-9A-Z._:-]{0,63}", fullmatch=True),
    st.binary(min_size=32, max_size=32),
    st.sampled_from(["https://registry.example", "http://127.0.0.1:8000", "https://发票.example"]),
)
def test_any_copys_code_reads_as_its_link(number: str, commitment: bytes, site: str) -> None:
    link = qr.link(site, number, commitment)
    drawn = qr.symbol(link)
    assert read(Image.open(io.BytesIO(qr.png(drawn)))) == [(link, "M")]
    qr.svg(drawn)
    assert parse_link(link) == (site, Question(number, commitment))


def test_what_does_not_read_as_it_should_is_not_handed_out() -> None:
    drawn = qr.symbol(LINK)
    wrong = drawn._replace(text=qr.link("https://registry.example", NUMBER, secrets.token_bytes(32)))
    spoilt = drawn._replace(modules=[[not module for module in row] for row in drawn.modules[:20]] + drawn.modules[20:])
    for made in (wrong, spoilt):
        with pytest.raises(qr.Unreadable):
            qr.svg(made)
        with pytest.raises(qr.Unreadable):
            qr.png(made)
