"""``python -m verify`` is the ``luckproof`` command."""

from verify.command.main import main

if __name__ == "__main__":
    main()
