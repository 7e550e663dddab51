"""What a process of the service asks of the Python interpreter, once, when it has started."""

import contextlib
import ctypes
import gc
import sys

_RECURSION_LIMIT = 1000
"""Python's own. py_ecc, which comes with eth-account, sets 100,000: what recurses in C would crash long before."""


def settle() -> None:
    """A batch makes millions of objects and hardly a cycle, and gives the interpreter's lock away only while SQLite works.

    Collecting cycles at the usual rate took a twelfth of registering and sealing, and a thread that comes back from SQLite waited
    5 ms at a time for the lock of one that computes (docs/performance.md). What was there at the start is never looked at again, so
    that to look at the rest takes some milliseconds; and it must be looked at: SQL with an IN (…) is a cycle that holds its list.
    """
    _bound_malloc()
    sys.setrecursionlimit(_RECURSION_LIMIT)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 5)
    sys.setswitchinterval(0.0005)


_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""Of glibc's malloc.h."""


def _bound_malloc() -> None:
    """Memory that was used once by one of many threads is not kept for that thread, nor a large piece for the next large one.

    glibc does both, and an API process under load grew by a half while its ledger grew from 100,000 invoices to 1,000,000.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 256 * 1024)
