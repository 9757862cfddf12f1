"""placeholder"""


def register(app: object) -> None: ...
