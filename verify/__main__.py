"""``python -m verify`` is the ``luckproof`` command."""

from verify.command.start import start

if __name__ == "__main__":
    start()
