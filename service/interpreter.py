"""What a process of the service asks of the Python interpreter, once, when it has started."""

import gc
import sys

_RECURSION_LIMIT = 1000
"""Python's own. py_ecc, which comes with eth-account, sets 100,000: what recurses in C would crash long before."""


def settle() -> None:
    """A batch makes millions of objects and hardly a cycle, and gives the interpreter's lock away only while SQLite works.

    Collecting cycles at the usual rate took a twelfth of registering and sealing, and a thread that comes back from SQLite waited
    5 ms at a time for the lock of one that computes (docs/performance.md).
    """
    sys.setrecursionlimit(_RECURSION_LIMIT)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.0005)
