"""The exception for errors that a user can fix."""


class InputError(Exception):
    """A file, row or setting that cannot be used.

    The message names it and says what to do; programs print it as one line, without a traceback.
    """

    exit_code = 1


def one_line(error: Exception) -> str:
    """Return an error's message on one line: other libraries may use several."""
    return " ".join(str(error).split())
