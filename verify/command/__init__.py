"""The ``luckproof`` command, one file per sub-command."""
