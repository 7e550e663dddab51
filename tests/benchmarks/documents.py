"""How fast documents and QR codes are made: `python -m tests.benchmarks.documents` prints it, and ends with 1 if a goal is missed.

The same content is laid out by WeasyPrint too, in HTML of the same fields and with the same font, QR code and attachment.
"""

import html
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import weasyprint
from weasyprint.text.fonts import FontConfiguration

from service.formats import document, qr
from service.formats.document import Registration
from tests.unit.samples import sections_of

ROUNDS = 15
PROOF = b'{"protocol":"zp1","filler":"' + b"x" * 4000 + b'"}'

_STYLE = """
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-left { content: "登记簿副本"; font-size: 7pt }
        @bottom-right { content: "第 " counter(page) " 页，共 " counter(pages) " 页"; font-size: 7pt } }
body { font-family: "Noto Sans CJK SC"; font-size: 9pt } h1 { font-size: 17pt; text-align: center; color: #8c2f1c }
table { width: 100%; border-collapse: collapse; border: 0.7pt solid #8c2f1c } td, th { padding: 3.6pt; font-weight: normal }
th, b { color: #8c2f1c; font-weight: normal } tr { border-bottom: 0.35pt solid #d9b3a9 } img { width: 31mm }
"""


class Figure(NamedTuple):
    """`goal` is what it must not exceed, or where `is_least` not fall below."""

    name: str
    value: float
    unit: str
    goal: float
    is_least: bool = False

    @property
    def is_reached(self) -> bool:
        return self.value >= self.goal if self.is_least else self.value <= self.goal


def figures() -> list[Figure]:
    number = "26317999000000000002"
    page = sections_of("S02")
    long = sections_of("S02")
    long["lines"] = [{**page["lines"][n % 3], "item": f"*办公用品*第{n}项"} for n in range(100)]
    found = []
    for name, sections in (("a page", page), ("100 lines", long)):
        ours = _seconds(partial(_ours, sections))
        theirs = _seconds(partial(_by_weasyprint, sections))
        found.append(Figure(f"PDF of {name}: times as fast as WeasyPrint", theirs / ours, "", 4, is_least=True))
        found.append(Figure(f"PDF of {name}", 1000 * ours, "ms", 250))
    links = [qr.link("https://registry.example", number, bytes([n]) * 32) for n in range(ROUNDS + 1)]
    found.append(Figure("QR code as SVG, read again", 1000 * _seconds(lambda n: qr.svg(qr.symbol(links[n]))), "ms", 25))
    found.append(Figure("QR code as PNG, read again", 1000 * _seconds(lambda n: qr.png(qr.symbol(links[n]))), "ms", 100))
    return found


def _seconds(work: Callable[[int], object]) -> float:
    """The median; each time for another copy, since both remember what they laid out before."""
    work(0)
    times = []
    for n in range(1, ROUNDS + 1):
        began = time.perf_counter()
        work(n)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _ours(sections: dict[str, Any], n: int) -> bytes:
    return document.render(sections, _registration(sections["header"]["number"], n), PROOF)


def _registration(number: str, n: int) -> Registration:
    return Registration(
        public_url="https://registry.example",
        number=number,
        commitment=bytes([n]) * 32,
        chain_id=31337,
        contract="0x5fbdb2315678afecb367f032d93f642f64180aa3",
        registered_at=1_795_600_000 + n,
        anchored_at=1_795_600_012,
        seq=15 + n,
        as_of=1_795_603_612,
        status="valid",
        is_current=True,
    )


_FONTS = FontConfiguration()


def _said(pairs: Sequence[tuple[str, str]]) -> str:
    return "".join(f"<div><b>{html.escape(name)}：</b>{html.escape(text)}</div>" for name, text in pairs)


def _by_weasyprint(sections: dict[str, Any], n: int) -> bytes:
    data = document._data(sections, _registration(sections["header"]["number"], n), document._compiler().coverage)
    symbol = qr.svg(qr.symbol(data["link"])).decode()
    rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>" for line in data["lines"])
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in data["columns"])
    page = f"""<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{html.escape(data["document_title"])}</title>
      <style>{_STYLE}</style><div style="float:left">{symbol}</div><div style="float:right">{_said(data["head"])}</div>
      <h1>{html.escape(data["title"])}</h1><p style="text-align:center">{data["copy_mark"]}</p>
      <p style="clear:both">{data["host"]}</p>
      <table><tr><td>{_said(data["buyer"])}<td>{_said(data["seller"])}</table>
      <table><thead><tr>{heads}</tr></thead>{rows}<tr><td>合计<td colspan="4"><td>{data["amount"]}<td><td>{data["tax"]}</table>
      <table><tr><td>价税合计（大写）<td>{data["capitals"]}<td>（小写）{data["amount_with_tax"]}
      <tr><td>备注<td colspan="2">{"<br>".join(map(html.escape, data["remarks"]))}</table>{_said(data["signers"])}
      <div style="border:0.5pt solid #999">{_said(data["registry"])}{"".join(map(html.escape, data["notices"]))}</div>"""
    attached = weasyprint.Attachment(string=PROOF, name=data["proof_name"], relationship="Source")
    made = weasyprint.HTML(string=page).write_pdf(font_config=_FONTS, pdf_variant="pdf/a-3b", attachments=[attached])
    assert isinstance(made, bytes)
    return made


if __name__ == "__main__":
    measured = figures()
    for figure in measured:
        print(f"{'ok  ' if figure.is_reached else 'MISS'} {figure.name}: {figure.value:.1f} {figure.unit} (goal {figure.goal:g})")
    sys.exit(not all(figure.is_reached for figure in measured))
