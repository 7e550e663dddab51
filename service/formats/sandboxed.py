"""The process that reads one file that anybody may have sent, and ends: `python -I -m service.formats.sandboxed`.

It has no network, opens no file, starts no process, and has limits on memory and time. The file comes by standard input; what was
read goes to standard output as JSON. sandbox.py starts it, and ends it when it takes too long.
"""

import contextlib
import ctypes
import io
import os
import resource
import sys
from base64 import b64encode

import orjson
import pikepdf
from PIL import Image

from service.formats.pictures import FORMATS, read_picture
from verifier.carried import MAX_FILE_BYTES, Carried, is_pdf
from verifier.errors import Malformed
from verifier.pdf import read_pdf
from verifier.proof import MAX_BYTES

MAX_MEMORY = 768 * 1024 * 1024
"""That reading may take beside what the process has at its start."""
MAX_CPU_S = 10
_NOBODY = 65534
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38


def main() -> int:
    leave_network()
    _warm_up()
    give_up_rights()
    data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    if data:
        sys.stdout.buffer.write(orjson.dumps(_read(data)))
        sys.stdout.buffer.flush()
    return 0


def _read(data: bytes) -> dict[str, object]:
    try:
        carried = read_pdf(data) if is_pdf(data) else read_picture(data)
    except Malformed as error:
        return {"error": error.reason, "details": error.details}
    except MemoryError:
        return {"error": "carried.too_costly", "details": {}}
    return _members(carried)


def _members(carried: Carried) -> dict[str, object]:
    # Cut where it is too long for a proof file anyway, but not so that it could pass for one.
    proofs = [b64encode(proof[: MAX_BYTES + 1]).decode() for proof in carried.proofs]
    codes = None if carried.codes is None else [code.encode(errors="replace").decode() for code in carried.codes]
    return {"kind": carried.kind, "proofs": proofs, "codes": codes, "pages": carried.pages, "of": carried.of}


def leave_network() -> None:
    """Into a network of its own, which has nothing. Where the system does not allow that, the limit on files keeps sockets away."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _warm_up() -> None:
    """Read something small of each kind: afterwards no module can be loaded any more."""
    for name in FORMATS:
        picture = io.BytesIO()
        Image.new("RGB", (40, 40)).save(picture, name)
        read_picture(picture.getvalue())
    page = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(40, 40))
        pdf.attachments["x.proof.json"] = pikepdf.AttachedFileSpec(pdf, b"{}", filename="x.proof.json")
        pdf.save(page)
    _read(page.getvalue())
    _read(b"%PDF-1.7 broken")
    _read(b"broken")


def give_up_rights(cpu_s: int = MAX_CPU_S) -> None:
    """Standard input, output and error stay open; nothing else can be opened, socket or file, and nothing started."""
    with contextlib.suppress(OSError), open("/proc/self/statm") as statm:  # noqa: PTH123  no more modules are needed
        memory = int(statm.read().split()[0]) * resource.getpagesize() + MAX_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    cpu = int(used) + 1 + cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    os.closerange(3, 256)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)


if __name__ == "__main__":
    sys.exit(main())
