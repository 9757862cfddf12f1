"""The luckproof command, which waits before it keeps more than ``KEPT`` runs or points, until it is ended."""

import functools
import os
import time

from luckproof import RunFolder
from verify.command.main import main
from verify.sweeps.store import Store


def waits(write):
    @functools.wraps(write)
    def written(self, *what):
        if len(list(self.folder.rglob("*.nc"))) >= int(os.environ["KEPT"]):
            time.sleep(120)
        write(self, *what)

    return written


RunFolder.keep = waits(RunFolder.keep)
Store.write = waits(Store.write)
if __name__ == "__main__":  # the processes that train or simulate import this file, too
    main()
