"""Command lines of the programs: flags, logs, exit codes and one line on failure."""

import argparse
import errno
import gc
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from nearfirst.common.errors import InputError
from nearfirst.common.progress import SCREEN
from nearfirst.common.settings import Section

_REASONS = {FileExistsError: "not a folder", FileNotFoundError: "no such file"}


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with a description and the flag `--log`, which every program has."""
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


def add_fields(to: argparse._ActionsContainer, fields: Mapping[str, FieldInfo]) -> None:
    """Add a flag for each field of a section.

    `fields_given` reads the flags. A value is JSON if it can be: `true`, `12`, `[0, 5]`.
    """
    for name, field in fields.items():
        types: list[Any] = [field.annotation]
        if get_origin(field.annotation) in (Union, UnionType):
            types += get_args(field.annotation)
        values = [v for type_ in types if get_origin(type_) is Literal for v in get_args(type_)]
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        suffix = "" if default is None else f" (default: {default})"
        text = f"{field.description}{suffix}"
        to.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="|".join(map(str, values)) or "VALUE",
            help=text.replace("%", "%%").replace("`", ""),
        )


def fields_given(arguments: argparse.Namespace, names: Iterable[str]) -> str:
    """Return the fields whose flags were passed, as JSON."""
    values: dict[str, object] = {}
    for name in names:
        if (text := getattr(arguments, name)) is not None:
            try:
                values[name] = json.loads(text)
            except ValueError:
                values[name] = text
    return json.dumps(values)


def checked(parse: Callable[[str], object]) -> Callable[[str], object]:
    """Wrap a parser for `type=` of a flag, so that argparse reports its InputError."""

    def checked(text: str) -> object:
        try:
            return parse(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def positive(text: str) -> int:
    """Parse a whole number of at least 1, for `type=` of a flag."""
    return _whole_number(text, 1)


def not_negative(text: str) -> int:
    """Parse a whole number of at least 0, for `type=` of a flag."""
    return _whole_number(text, 0)


def _whole_number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of at least {least}")
    return int(text)


def add_threads(to: argparse.ArgumentParser) -> None:
    """Add `--threads`, for programs whose result does not depend on it."""
    to.add_argument(
        "--threads", type=positive, default=2, help="CPU threads; they do not change the result"
    )


def run(main: Callable[[argparse.Namespace], Any], arguments: argparse.Namespace) -> None:
    """Run a program's main; on failure exit with the error's code and one line on the screen.

    With `--log` all output goes to that file, including tracebacks of unexpected errors.
    """
    # Imports create some 600,000 permanent objects; searching them for cycles is wasted time.
    gc.set_threshold(100_000)
    screen = sys.stderr
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        # Of another launcher (Kubeflow, a batch script): only torchrun's processes train together.
        for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
            os.environ.pop(name, None)
    # The processes of a multi-GPU job inherit the log of the process that started them.
    if arguments.log and "RANK" not in os.environ:
        # Duplicate descriptors, so that output of C libraries goes to the log too.
        screen = os.fdopen(os.dup(2), "w")
        try:
            arguments.log.parent.mkdir(parents=True, exist_ok=True)
            with arguments.log.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
        except OSError as error:
            sys.exit(f"error: --log {arguments.log}: {error.strerror}")
    logging.basicConfig(level=logging.INFO, force=True)
    logging.getLogger().handlers[0].setFormatter(_Log("%(asctime)s %(message)s", "%H:%M:%S"))
    # At INFO the first logs every URL, including signed URLs of gated files, and the second that no
    # device was chosen.
    for name in ("httpx2", "sentence_transformers"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if screen is not sys.stderr:
        # Warnings go to the screen too: logs are only opened when something fails.
        warnings = logging.StreamHandler(screen)
        warnings.addFilter(_is_warning)
        warnings.setFormatter(_Log())
        logging.getLogger().addHandler(warnings)
        SCREEN.open(screen, job_name(arguments.log))
    try:
        main(arguments)
    except Exception as error:
        message = _printable(_explain(error, arguments.log))
        # If the log's disk is full, the screen still gets the message.
        with suppress(OSError):
            # The log also says where a file could not be read.
            expected = InputError if arguments.log else (InputError, OSError)
            if not isinstance(error, expected):
                traceback.print_exc()
            if arguments.log:
                print(f"error: {message}", file=sys.stderr, flush=True)
        print(f"error: {message}", file=screen, flush=True)
        sys.exit(error.exit_code if isinstance(error, InputError) else 1)


def job_name(log: Path) -> str:
    """Return the name of a job on the screen: the path of its log below `logs`."""
    parts = log.with_suffix("").parts
    below = parts[parts.index("logs") + 1 :] if "logs" in parts else parts[-1:]
    return " ".join(below)


class _Log(logging.Formatter):
    """Marks warnings, for the summary at the end of a call (`report.summary`)."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        if _is_warning(record):
            record.message = f"warning: {_printable(record.getMessage())}"
        return super().formatMessage(record)


def _is_warning(record: logging.LogRecord) -> bool:
    # Other libraries log under their package names.
    is_ours = record.name.partition(".")[0] in ("root", "nearfirst")
    return is_ours and record.levelno >= logging.WARNING


def _printable(text: str) -> str:
    """Escape line breaks and control characters, which names from data may contain."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _explain(error: Exception, log: Path | None) -> str:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError):
        # A file is renamed to the second name.
        name = error.filename2 or error.filename
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            # A write to an open file fails without a name; `files.writing` already names outputs.
            return f"{name or log or 'an output'}: {error.strerror}; free some space and run again"
        if name:
            return f"{name}: {_REASONS.get(type(error), error.strerror)}"
    return f"{type(error).__name__}: {error}"
