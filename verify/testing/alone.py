"""Run a script as if this project were not installed: ``python -I alone.py script.py``.

It is a program of its own, which imports nothing of ours either.
"""

import sys

OURS = ("dynamics", "luckproof", "nets", "verify")


class Without:
    """A finder that answers for this project's packages: they are not there."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in OURS:
            raise ModuleNotFoundError(f"a sceptic's script does without {name}", name=name)


if __name__ == "__main__":
    sys.meta_path.insert(0, Without)
    script = sys.argv.pop()
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec", dont_inherit=True)
    exec(code, {"__name__": "__main__"})
