"""What every program does: its log, its exit code, one line on failure."""

import argparse
import errno
import gc
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TextIO, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from nearfirst.common.errors import InputError
from nearfirst.common.progress import SCREEN
from nearfirst.common.settings import Section


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the description and the `--log` of every program."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument(
        "--log", type=Path, metavar="FILE", help="write progress here, not to the screen"
    )
    return result


def add_settings(
    to: argparse.ArgumentParser, section: type[Section], flag: str = "--settings"
) -> None:
    """Add a flag that takes a section as JSON; `--help` lists its keys and defaults."""
    lines = [f"keys of {flag} (JSON; what is left out has its default):"]
    lines += [
        f"  {name} = {field.get_default(call_default_factory=True)!r}\n      {field.description}"
        for name, field in section.model_fields.items()
    ]
    to.epilog = "\n".join([*([to.epilog, ""] if to.epilog else []), *lines])
    to.add_argument(
        flag, type=checked(section.parse), default=section(), metavar="JSON", help="see below"
    )


def fields_of(section: type[Section], without: Set[str]) -> dict[str, tuple[FieldInfo, str]]:
    """Return the fields of a section for `add_fields`, but for some."""
    return {name: (its, "") for name, its in section.model_fields.items() if name not in without}


def add_fields(to: argparse._ActionsContainer, fields: Mapping[str, tuple[FieldInfo, str]]) -> None:
    """Add a flag for each field of settings, given with the name of what has it or "".

    `fields_given` reads them. A value is JSON where it can be: `true`, `12`, `[0, 5]`.
    """
    for name, (field, owner) in fields.items():
        kinds: list[Any] = [field.annotation]
        if get_origin(field.annotation) in (Union, UnionType):
            kinds += get_args(field.annotation)
        values = [one for kind in kinds if get_origin(kind) is Literal for one in get_args(kind)]
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        shown = "" if default is None else f" (default: {default})"
        text = f"{f'[{owner}] ' if owner else ''}{field.description}{shown}"
        to.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="|".join(map(str, values)) or "VALUE",
            help=text.replace("%", "%%").replace("`", ""),
        )


def fields_given(arguments: argparse.Namespace, names: Iterable[str]) -> str:
    """Return the fields whose flags were given, as JSON."""
    given: dict[str, object] = {}
    for name in names:
        if (text := getattr(arguments, name)) is not None:
            try:
                given[name] = json.loads(text)
            except ValueError:
                given[name] = text
    return json.dumps(given)


def checked(parse: Callable[[str], object]) -> Callable[[str], object]:
    """Return a function for `type=` of a flag, which shows the InputError of another."""

    def checked(text: str) -> object:
        try:
            return parse(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def positive(text: str) -> int:
    """Return the number from 1 that a flag gives."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 1")
    return int(text)


def not_negative(text: str) -> int:
    """Return the number from 0 that a flag gives."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 0")
    return int(text)


def add_threads(to: argparse.ArgumentParser) -> None:
    """Add the flag of programs whose result does not depend on it."""
    to.add_argument(
        "--threads", type=positive, default=2, help="CPU threads; they do not change the result"
    )


def run(main: Callable[[argparse.Namespace], Any], arguments: argparse.Namespace) -> None:
    """Run a program's main; if it fails, exit with the error's code and one line on the screen.

    With `--log` all that is printed goes to that file, tracebacks of our own faults included.
    """
    # Imports make some 600,000 objects that stay: to look for cycles among them is in vain.
    gc.set_threshold(100_000)
    screen = sys.stderr
    # The processes of a multi-GPU job inherit the log of the one that started them.
    if arguments.log and "RANK" not in os.environ:
        arguments.log.parent.mkdir(parents=True, exist_ok=True)
        # Duplicated descriptors, so that what C libraries print lands in the log too.
        screen = os.fdopen(os.dup(2), "w")
        with arguments.log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    logging.basicConfig(level=logging.INFO, force=True)
    logging.getLogger().handlers[0].setFormatter(_Log("%(asctime)s %(message)s", "%H:%M:%S"))
    # At its usual level the first logs every address, those with a signature for a gated file too,
    # and the second that nobody told it which device to take.
    for name in ("httpx2", "sentence_transformers"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if screen is not sys.stderr:
        logging.getLogger().addHandler(_Warnings(screen))
        SCREEN.open(screen, job_name(arguments.log))
    try:
        main(arguments)
    except Exception as error:
        message = _printable(_explain(error, arguments.log))
        # The log may lie on a disk that is full: the screen still gets the message.
        with suppress(OSError):
            if not isinstance(error, InputError):
                traceback.print_exc()
            if arguments.log:
                print(f"error: {message}", file=sys.stderr, flush=True)
        print(f"error: {message}", file=screen, flush=True)
        sys.exit(error.exit_code if isinstance(error, InputError) else 1)


def job_name(log: Path) -> str:
    """Return what the screen calls a job: its log's place below `logs`."""
    parts = log.with_suffix("").parts
    below = parts[parts.index("logs") + 1 :] if "logs" in parts else parts[-1:]
    return " ".join(below)


class _Log(logging.Formatter):
    """Marks what is warned of, for the summary at the end of a call (`report.summary`)."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        if _is_warning(record):
            record.message = _warning(record)
        return super().formatMessage(record)


class _Warnings(logging.StreamHandler[TextIO]):
    """Shows what the log warns of on the screen too: a log is opened when something fails."""

    def __init__(self, screen: TextIO) -> None:
        super().__init__(screen)
        self.addFilter(_is_warning)

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        return _warning(record)


def _is_warning(record: logging.LogRecord) -> bool:
    # Of this project: other libraries log under names of their own.
    own = record.name.partition(".")[0] in ("root", "nearfirst")
    return own and record.levelno >= logging.WARNING


def _warning(record: logging.LogRecord) -> str:
    return f"warning: {_printable(record.getMessage())}"


def _printable(text: str) -> str:
    """Return text as one line that a terminal only shows: names from data may hold anything."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _explain(error: Exception, log: Path | None) -> str:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        # What fails without a name is a write to an open file: `files.writing` names outputs.
        place = error.filename or log or "an output"
        return f"{place}: {error.strerror}; free some space and run again"
    if isinstance(error, FileNotFoundError) and error.filename:
        return f"{error.filename}: no such file"
    return f"{type(error).__name__}: {error}"
