"""``python -m verify`` is the ``luckproof`` command."""

from verify.cli import main

if __name__ == "__main__":
    main()
