"""Rows of JSON: an array, JSON Lines, or an object with an array of rows, read as a stream."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import from_json

from nearfirst.common.errors import InputError
from nearfirst.data.readers.streams import CHUNK, Utf8, opened, warn_once

LONGEST = 2**28
"""Bytes of the longest row: a file that never ends one would be read into memory whole."""

MOST = 2**24
"""Values in a row, each of which takes many times the memory that it takes in the file."""

_KEYS_OF_ROWS = {
    *("data", "rows", "examples", "instances", "records", "samples"),
    *("train", "training", "test", "validation", "eval"),
}
_KINDS: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
Kind = TypeVar("Kind")

_decode = json.JSONDecoder().raw_decode
# A byte order mark comes between rows where files were put one behind the other.
_BOM = codecs.BOM_UTF8.decode("latin-1")
_BLANK = re.compile(rf"(?:[ \t\n\r]|{_BOM})*")
_NEXT_IN_ARRAY = re.compile(r'([ \t\n\r]*,[ \t\n\r]*)\{[ \t\n\r]*"[^"\\]*"')
_NEXT_LINE = re.compile(r"([ \t\r]*\n)")
_MAY_GO_ON = "tfnNI-"
_CLOSING = re.compile(r'["}\]]')
_PAIR = re.compile(r'[{,]\s*"([^"\\]*)"\s*:\s*(\[?)\s*(\{?)')


def rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (place for messages, row) of a file; memory holds a few rows at a time.

    The content decides, not the name: `[` begins an array of rows, and `{` the rows themselves, one
    after the other, or one object with an array of rows under a key such as `data` or `train`.
    A key that comes twice in an object is warned of where rows are looked at one by one: the first
    of a file, and one in about a megabyte.

    Raises InputError if there is no such file or it has no rows, is cut off, damaged, not JSON, or
    has a row beyond `LONGEST` or `MOST` or nested deep; the row or its line is named.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with opened(path) as stream:
        window = _Window(path, stream)
        window.decode = json.JSONDecoder(object_pairs_hook=window.object).raw_decode
        yield from _rows(window)
    if window.is_empty:
        raise InputError(f"{path}: the file has no rows")


def value(path: Path) -> Any:
    """Return the one value that a file of JSON holds. Raises InputError as `rows`.

    Half of a pair of escapes is left in: it is for the caller to say what becomes of it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with opened(path) as stream:
        window = _Window(path, stream)
        window.peek()
        found = window.value(check_escapes=False)
        window.end()
    return found


def take(row: Any, key: str, kind: type[Kind], where: str) -> Kind:
    """Return a value of a row. Raises InputError if it is missing or of another type."""
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected an object, found {type(row).__name__}")
    if key not in row:
        raise InputError(f"{where}: key '{key}' is missing; found {', '.join(row) or 'none'}")
    if not isinstance(value := row[key], kind):
        raise InputError(f"{where}: '{key}' is {type(value).__name__}, not {_KINDS[kind]}")
    return value


def find(path: Path, names: Sequence[str]) -> Path:
    """Return a file, or the one that a folder holds under the first of `names` that is there.

    Raises InputError if there is none.
    """
    if path.is_dir():
        found = next((path / name for name in names if (path / name).is_file()), None)
        if found is None:
            raise InputError(f"{path}: the folder holds no {' or '.join(names)}")
        return found
    if not path.is_file():
        raise InputError(f"{path}: no such file; set the data set's path to {' or '.join(names)}")
    return path


class _Window:
    """The part of a file that is in memory, and the place in it that is read next.

    A character of `text` is a byte: decoded, one Emoji would make all of it four times as large,
    and slow to read. Only rows that are not ASCII are decoded, one by one.
    """

    def __init__(self, path: Path, stream: Utf8) -> None:
        self.name, self._stream = str(path), stream
        self.text, self.at = "", 0
        self.decode = _decode
        self._counted, self._line = 0, 1
        self._is_whole = self._has_warned = False
        self.row = 0
        """Number of the row that is read; 0 where lines are counted."""
        self.is_empty = True
        """Whether no value was read yet."""

    def where(self) -> str:
        """Return the place of what is read next."""
        return f"{self.name}: row {self.row}" if self.row else f"{self.name}: line {self.line()}"

    def line(self) -> int:
        """Return the number of the line that is read next."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def peek(self) -> str:
        """Go to what is not blank and return its first character; nothing at the end."""
        if self.at < len(self.text) and " " < self.text[self.at] < "\x7f":
            return self.text[self.at]
        blank = 0
        while True:
            start = self.at
            if match := _BLANK.match(self.text, start):
                self.at = match.end()
            # Part of a mark may be at the end.
            if not _BOM.startswith(next_ := self.text[self.at : self.at + len(_BOM)]):
                return next_[0]
            blank += self.at - start
            if blank > LONGEST:
                raise InputError(f"{self.where()}: nothing but blanks in {LONGEST} bytes")
            if not self._more():
                return next_[:1]

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object of JSON; warn if a key comes twice."""
        found = dict(pairs)
        if len(found) < len(pairs) and not self._has_warned:
            self._has_warned = True
            key = Counter(key for key, _ in pairs).most_common(1)[0][0]
            warn_once(
                f"{self.where()}: '{key}' comes twice in an object, and only its last value is "
                "read; other rows may be like this one"
            )
        return found

    def value(self, *, check_escapes: bool = True) -> Any:
        """Read a value that begins here."""
        # Few values are longer than this: to find that one is cut off takes a while.
        if self.at > self.safe and not self._is_whole:
            self._more()
        while True:
            try:
                found, end = self.decode(self.text, self.at)
            except json.JSONDecodeError as error:
                # In a text without an end, or near the end of the window, it may be cut off there.
                has_no_end = error.msg.startswith("Unterminated string")
                is_near_end = error.pos > len(self.text) - 12
                may_go_on = self.text[error.pos : error.pos + 1] in _MAY_GO_ON
                is_cut = has_no_end or (
                    is_near_end
                    and (may_go_on or error.msg != "Expecting value")
                    and not _CLOSING.search(self.text, error.pos)
                )
                fault = self.cut_off() if is_cut else self._not_json(error)
                if (has_no_end or is_near_end) and self._more():
                    continue
                raise fault from None
            except RecursionError:
                raise InputError(f"{self.where()}: lists or objects nested too deep") from None
            except ValueError:
                raise InputError(
                    f"{self.where()}: not JSON that can be read: a number of more than 4300 "
                    "digits; write it as text"
                ) from None
            # A number may go on.
            if end < len(self.text) or isinstance(found, dict | list) or not self._more():
                break
        try:
            found = _as_utf8(found, self.text[self.at : end], check_escapes)
            self.is_empty = False
        except UnicodeEncodeError:
            raise InputError(
                f"{self.where()}: \\u… escapes that are no character (half of a pair)"
            ) from None
        except UnicodeError as error:
            raise InputError(
                f"{self.where()}: not UTF-8 ({error}); save the file as UTF-8"
            ) from None
        self.at = end
        return found

    def skip(self, sign: str) -> None:
        """Go past a character that must come next."""
        if (found := self.peek()) != sign:
            raise self.cut_off() if not found else self._unexpected(f"expected {sign!r}")
        self.at += 1

    def end(self) -> None:
        """Raise InputError unless the file ends here."""
        if self.peek():
            raise self._unexpected("expected the end of the file")

    def cut_off(self) -> InputError:
        """Return what is wrong if the file ends here."""
        return InputError(f"{self.where()}: cut off at the end of the file; copy it again")

    def _unexpected(self, expected: str) -> InputError:
        where = self.where()
        return InputError(f"{where}: not JSON ({expected}, found {self.text[self.at]!r})")

    def _not_json(self, error: json.JSONDecodeError) -> InputError:
        message = error.msg.strip(" :").removesuffix(" at")
        if self.text[self.at : error.pos].rstrip().endswith(","):
            message += "; is the comma before it one too many?"
        found = self.text[error.pos : error.pos + 12].encode("latin-1").decode(errors="replace")
        at = error.pos - self.at + 1
        return InputError(f"{self.where()}: not JSON ({message}, at its character {at}: {found!r})")

    def _more(self) -> bool:
        """Read on; returns False at the end of the file."""
        rest = self.text[self.at :]
        where = self.where()
        if len(rest) >= LONGEST:
            raise InputError(f"{where}: longer than {LONGEST} bytes")
        if len(rest) > MOST and rest.count(",") > MOST:
            raise InputError(f"{where}: holds more than {MOST} values")
        # Twice as much each time: a long row is decoded a few times only.
        more = self._stream.read(max(CHUNK, len(rest)), where)
        self.text, self.at, self._counted = rest + more.decode("latin-1"), 0, 0
        self._is_whole = not more
        return bool(more)

    @property
    def safe(self) -> int:
        """Place before which most values end in the window."""
        return len(self.text) - CHUNK // 8


def _as_utf8(found: Any, text: str, check_escapes: bool) -> Any:
    """Return what was found in text whose characters are bytes, with characters for them.

    Raises UnicodeError if it is not UTF-8, or holds half of a pair of escapes: that is not a
    character, and no table could hold it.
    """
    if not text.isascii():
        found, _ = _decode(text.encode("latin-1").decode())
    if check_escapes and ("\\ud" in text or "\\uD" in text):
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _rows(window: _Window) -> Iterator[tuple[str, Any]]:
    first = window.peek()
    if first == "[":
        yield from _array(window)
        window.end()
    elif first == "{" and (found := _start_of_rows(window)):
        window.at, others = found
        yield from _array(window)
        while window.peek() == ",":
            window.at += 1
            window.peek()
            key = window.value()
            window.skip(":")
            if window.peek() == "[" and key in _KEYS_OF_ROWS:
                raise InputError(
                    f"{window.where()}: a second list of rows, '{key}'; keep one list a file"
                )
            window.value()
            others.append(str(key))
        window.skip("}")
        window.end()
        if others:
            warn_once(f"{window.name}: beside its list of rows, not read: {', '.join(others)}")
    else:
        yield from _lines(window)


def _array(window: _Window) -> Iterator[tuple[str, Any]]:
    """Yield the rows of an array that begins here; a comma after the last one is no matter."""
    window.row = 1
    window.skip("[")
    while window.peek() != "]":
        yield window.where(), window.value()
        yield from _alike(window, _NEXT_IN_ARRAY)
        window.row += 1
        if window.peek() != "]":
            window.skip(",")
    window.at += 1


def _lines(window: _Window) -> Iterator[tuple[str, Any]]:
    """Yield rows one after the other, most likely a line each."""
    while window.peek():
        yield window.where(), window.value()
        yield from _alike(window, _NEXT_LINE)


def _alike(window: _Window, between: re.Pattern[str]) -> Iterator[tuple[str, Any]]:
    """Yield the rows that follow in the window, up to one that takes a closer look.

    What lies between the last row and the next, in an array with the next one's first key, most
    likely comes again where that one ends. It does end there if what lies before is a whole value.
    """
    if not (match := between.match(window.text, window.at)):
        return
    text, sign, start = window.text, match[0], match.end(1)
    length = start - window.at
    while (end := text.find(sign, start)) >= 0:
        try:
            found = from_json(text[start:end].encode("latin-1"), cache_strings="keys")
        except ValueError:
            return
        window.row += bool(window.row)
        window.at = start
        yield window.where(), found
        window.at = end
        start = end + length


def _start_of_rows(window: _Window) -> tuple[int, list[str]] | None:
    """Return where an array of rows begins, and the keys before it.

    None if the file is not one object that holds such an array.
    """
    others: list[str] = []
    text, at = window.text, window.at
    try:
        _, end = _decode(text, at)
        if text[end:].lstrip().startswith("{"):
            return None
    except (ValueError, RecursionError):
        pass  # it does not end within the window
    while pair := _PAIR.match(text, at):
        if pair[1] in _KEYS_OF_ROWS and pair[2] and pair[3]:
            return pair.start(2), others
        others.append(pair[1].encode("latin-1").decode(errors="replace"))
        try:
            _, end = _decode(text, pair.start(2))
        except (ValueError, RecursionError):
            return None
        match = _BLANK.match(text, end)
        at = match.end() if match else end
    return None
