"""Processes that do not outlive the program that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """End this process at once where the program that started it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=lambda: os._exit(1 if wait([parent.sentinel]) else 0), daemon=True)
        watch.start()


@contextmanager
def shielded_from_interrupts() -> Iterator[None]:
    """Processes that are started here take no notice of Ctrl-C, while they start too; this one gets it afterwards."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # starting it would lift the shield
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
