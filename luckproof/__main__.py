"""``python -m luckproof`` is the ``luckproof`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command on the process's arguments and exit with its code."""
    from verify.command.surroundings import put_in_order

    put_in_order()
    from verify.command.main import main as run_command

    run_command()


if __name__ == "__main__":
    main()
