"""Read rows of JSON as a stream: an array, JSON Lines, or an object with an array of rows."""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import from_json

from nearfirst.common.errors import InputError
from nearfirst.data.readers.streams import CHUNK, Utf8, log_once, opened

MAX_ROW_BYTES = 2**28
"""Limit that keeps a file whose first row never ends from being read into memory whole."""

MAX_ROW_VALUES = 2**24
"""Limit on values per row, each of which takes far more memory than it takes in the file."""

_KEYS_OF_ROWS = {
    *("data", "rows", "examples", "instances", "records", "samples"),
    *("train", "training", "test", "validation", "eval"),
}
_TYPE_NAMES: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
Kind = TypeVar("Kind")

_decode = json.JSONDecoder().raw_decode
# Concatenated files have a byte order mark between rows.
_BOM = codecs.BOM_UTF8.decode("latin-1")
_BLANK = re.compile(rf"(?:[ \t\n\r]|{_BOM})*")
_NEXT_IN_ARRAY = re.compile(r'([ \t\n\r]*,[ \t\n\r]*)\{[ \t\n\r]*"[^"\\]*"')
_NEXT_LINE = re.compile(r"([ \t\r]*\n)")
_CUT_OFF = "cut off at the end of the file; copy it again"
_LITERAL_STARTS = "tfnNI-"
_CLOSING = re.compile(r'["}\]]')
_PAIR = re.compile(r'[{,]\s*"([^"\\]*)"\s*:\s*(\[?)\s*(\{?)')


def rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (location for messages, row) of a file, with only a few rows in memory.

    The content decides, not the name: `[` begins an array of rows; `{` begins the rows themselves,
    one after another, or an object with an array of rows under a key such as `data` or `train`.
    An escape of half a surrogate pair, which is no character, is read as `?`, with a warning.

    Raises InputError, which names the row or line, if the file is missing, has no rows, is cut off,
    damaged or not JSON, or has a row beyond `MAX_ROW_BYTES` or `MAX_ROW_VALUES` or nested too deep.
    """
    with opened(path) as stream:
        window = _Window(path, stream)
        yield from _read_rows(window)
    if window.is_empty:
        raise InputError(f"{path}: the file has no rows")


def value(path: Path) -> Any:
    """Return the single value in a JSON file. Raises InputError as `rows` does."""
    with opened(path) as stream:
        window = _Window(path, stream)
        window.peek()
        result = window.parse_value()
        window.expect("")
    return result


def take(row: Any, key: str, kind: type[Kind], where: str) -> Kind:
    """Return a value of a row. Raises InputError if it is missing or of another type."""
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected an object, found {type(row).__name__}")
    if key not in row:
        raise InputError(f"{where}: key '{key}' is missing; found {', '.join(row) or 'none'}")
    if not isinstance(value := row[key], kind):
        raise InputError(f"{where}: '{key}' is {type(value).__name__}, not {_TYPE_NAMES[kind]}")
    return value


def find(path: Path, names: Sequence[str]) -> Path:
    """Return the file at `path`, or the first of `names` that exists in the folder `path`.

    Raises InputError if there is none.
    """
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                return path / name
        raise InputError(f"{path}: the folder holds no {' or '.join(names)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; set the data set's path to {' or '.join(names)}")
    return path


class _Window:
    """The part of a file that is in memory, and the position in it.

    Each character of `text` is one byte of the file. Decoded as UTF-8, a single emoji would make
    the whole string four times as large and slow to scan, so only non-ASCII rows are decoded.
    """

    def __init__(self, path: Path, stream: Utf8) -> None:
        self.name, self._stream = str(path), stream
        self.text, self.position = "", 0
        self._counted, self._line = 0, 1
        self._is_complete = False
        self.row = 0
        """Number of the current row; 0 if lines are counted instead."""
        self.is_empty = True
        """Whether no value has been parsed yet."""

    def where(self) -> str:
        """Return the current row or line, for messages."""
        if self.row:
            return f"{self.name}: row {self.row}"
        self._line += self.text.count("\n", self._counted, self.position)
        self._counted = self.position
        return f"{self.name}: line {self._line}"

    def peek(self) -> str:
        """Skip blanks and return the next character; an empty string at the end of the file."""
        if self.position < len(self.text) and " " < self.text[self.position] < "\x7f":
            return self.text[self.position]
        num_blanks = 0
        while True:
            start = self.position
            if match := _BLANK.match(self.text, start):
                self.position = match.end()
            # The window may end inside a byte order mark.
            following = self.text[self.position : self.position + len(_BOM)]
            if not _BOM.startswith(following):
                return following[0]
            num_blanks += self.position - start
            if num_blanks > MAX_ROW_BYTES:
                raise self.fault(f"nothing but blanks in {MAX_ROW_BYTES} bytes")
            if not self._read_more():
                return following[:1]

    def parse_value(self) -> Any:
        """Parse the value that begins here and move past it."""
        # Few values are longer than this. Finding out that one is cut off is slow.
        if self.position > len(self.text) - CHUNK // 8 and not self._is_complete:
            self._read_more()
        while True:
            try:
                result, end = _decode(self.text, self.position)
            except json.JSONDecodeError as error:
                # The window may end inside a string, or shortly after the error.
                is_unterminated = error.msg.startswith("Unterminated string")
                is_near_end = error.pos > len(self.text) - 12
                may_be_literal = self.text[error.pos : error.pos + 1] in _LITERAL_STARTS
                is_cut_off = is_unterminated or (
                    is_near_end
                    and (may_be_literal or error.msg != "Expecting value")
                    and not _CLOSING.search(self.text, error.pos)
                )
                fault = self.fault(_CUT_OFF) if is_cut_off else self._not_json(error)
                if (is_unterminated or is_near_end) and self._read_more():
                    continue
                raise fault from None
            except RecursionError:
                raise self.fault("lists or objects nested too deep") from None
            except ValueError:
                raise self.fault("a number of more than 4300 digits; write it as text") from None
            # A number may continue beyond the window.
            if end < len(self.text) or isinstance(result, dict | list) or not self._read_more():
                break
        source = self.text[self.position : end]
        try:
            if not source.isascii():
                result, _ = _decode(source.encode("latin-1").decode())
        except UnicodeError as error:
            raise self.fault(f"not UTF-8 ({error}); save the file as UTF-8") from None
        if "\\ud" in source or "\\uD" in source:
            text = json.dumps(result, ensure_ascii=False)
            if (whole := text.encode(errors="replace").decode()) != text:
                result = json.loads(whole)
                log_once(
                    f"{self.name}: half of a surrogate pair (\\ud83d or the like) is read as '?'"
                )
        self.is_empty = False
        self.position = end
        return result

    def expect(self, character: str) -> None:
        """Move past the next character, or check that the file ends if that is empty."""
        if (found := self.peek()) != character:
            if not found:
                raise self.fault(_CUT_OFF)
            expected = repr(character) if character else "the end of the file"
            raise self.fault(f"not JSON (expected {expected}, found {found!r})")
        self.position += len(character)

    def fault(self, message: str) -> InputError:
        """Return an error about the current row or line."""
        return InputError(f"{self.where()}: {message}")

    def _not_json(self, error: json.JSONDecodeError) -> InputError:
        message = error.msg.strip(" :").removesuffix(" at")
        found = self.text[error.pos : error.pos + 12].encode("latin-1").decode(errors="replace")
        column = error.pos - self.position + 1
        return self.fault(f"not JSON ({message}, at character {column}: {found!r})")

    def _read_more(self) -> bool:
        """Extend the window, dropping what was parsed; return False at the end of the file."""
        rest = self.text[self.position :]
        if len(rest) >= MAX_ROW_BYTES:
            raise self.fault(f"longer than {MAX_ROW_BYTES} bytes")
        if len(rest) > MAX_ROW_VALUES and rest.count(",") > MAX_ROW_VALUES:
            raise self.fault(f"holds more than {MAX_ROW_VALUES} values")
        # Doubling the window means that a long row is decoded only a few times.
        data = self._stream.read(max(CHUNK, len(rest)), self.where())
        self.text, self.position, self._counted = rest + data.decode("latin-1"), 0, 0
        self._is_complete = not data
        return bool(data)


def _read_rows(window: _Window) -> Iterator[tuple[str, Any]]:
    first = window.peek()
    if first == "[":
        yield from _read_array(window)
        window.expect("")
    elif first == "{" and (start := _find_array(window)):
        window.position, unread_keys = start
        yield from _read_array(window)
        while window.peek() == ",":
            window.position += 1
            window.peek()
            key = window.parse_value()
            window.expect(":")
            if window.peek() == "[" and key in _KEYS_OF_ROWS:
                raise window.fault(f"a second list of rows, '{key}'; keep one list per file")
            window.parse_value()
            unread_keys.append(str(key))
        window.expect("}")
        window.expect("")
        if unread_keys:
            log_once(f"{window.name}: keys beside the rows, not read: {', '.join(unread_keys)}")
    else:
        # Rows one after another, usually one per line.
        while window.peek():
            yield window.where(), window.parse_value()
            yield from _read_similar(window, _NEXT_LINE)


def _read_array(window: _Window) -> Iterator[tuple[str, Any]]:
    """Yield the rows of the array that begins here; a trailing comma is accepted."""
    window.row = 1
    window.expect("[")
    while window.peek() != "]":
        yield window.where(), window.parse_value()
        yield from _read_similar(window, _NEXT_IN_ARRAY)
        window.row += 1
        if window.peek() != "]":
            window.expect(",")
    window.position += 1


def _read_similar(window: _Window, separator: re.Pattern[str]) -> Iterator[tuple[str, Any]]:
    """Yield the following rows of the window quickly, up to one that needs the full parser.

    The separator after the last row (in an array, with the first key of the next row) most likely
    follows the next row too. That row does end there if the text before it is a whole value.
    """
    if not (match := separator.match(window.text, window.position)):
        return
    text, delimiter, start = window.text, match[0], match.end(1)
    length = start - window.position
    while (end := text.find(delimiter, start)) >= 0:
        try:
            row = from_json(text[start:end].encode("latin-1"), cache_strings="keys")
        except ValueError:
            return
        window.row += bool(window.row)
        window.position = start
        yield window.where(), row
        window.position = end
        start = end + length


def _find_array(window: _Window) -> tuple[int, list[str]] | None:
    """Return where an object's array of rows begins, and the keys before it.

    None if the file is not a single object with such an array.
    """
    keys: list[str] = []
    text, position = window.text, window.position
    try:
        _, end = _decode(text, position)
        if text[end:].lstrip().startswith("{"):
            return None
    except (ValueError, RecursionError):
        pass  # The object continues beyond the window.
    while pair := _PAIR.match(text, position):
        if pair[1] in _KEYS_OF_ROWS and pair[2] and pair[3]:
            return pair.start(2), keys
        keys.append(pair[1].encode("latin-1").decode(errors="replace"))
        try:
            _, end = _decode(text, pair.start(2))
        except (ValueError, RecursionError):
            return None
        match = _BLANK.match(text, end)
        position = match.end() if match else end
    return None
