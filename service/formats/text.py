"""What an importer may clean, so that a real file is not refused for an invisible character. The hasher never cleans."""

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n?|\u0085")
_BLANKS = re.compile("[\t\v\f]")
# The characters that protocol.md section 1 forbids, less those that became a line feed or a blank.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def clean(text: str) -> str:
    """Without blanks around it, without invisible characters, in normal form C: text that has canonical bytes."""
    text = text.strip()
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE.sub("", _BLANKS.sub(" ", _LINE_ENDS.sub("\n", text)))
    return unicodedata.normalize("NFC", text).strip()
