"""``python -m luckproof`` is the ``luckproof`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command on the process's arguments and exit with its code."""
    from verify.command.start import start

    start()


if __name__ == "__main__":
    main()
