"""What is whole in a sqlite3 recording that was not closed: with its journal beside it, or cut off."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

# Tables of every version of rosbag2's schema; `messages` is copied row by row.
_TABLES = ("schema", "metadata", "topics", "message_definitions")


def side_files(path: Path) -> list[Path]:
    """Journals that a writer left: rows that the file itself does not have yet, or has in part."""
    beside = [path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")]
    return [side for side in beside if side.is_file() and side.stat().st_size > 0]


def recover_journal(path: Path, folder: Path) -> Path:
    """A copy of a recording in `folder` with its journal worked in, as sqlite does it at the next start.

    Raises:
        ValueError: it is too damaged for that.
        OSError: no space for the copy.
    """
    copy = folder / path.name
    for file in (path, *side_files(path)):
        shutil.copyfile(file, folder / file.name)
    try:
        with contextlib.closing(sqlite3.connect(copy)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise ValueError(f"its journal cannot be worked in: {error}") from error
    return copy


def copy_whole_rows(path: Path, folder: Path) -> tuple[Path, int, str]:
    """A new recording in `folder` with every row that can be read.

    Returns:
        The copy, how many messages it has, and what stopped the reading ("" where nothing did).

    Raises:
        ValueError: not even its topics can be read.
        OSError: no space for the copy.
    """
    copy = folder / f"whole_{path.name}"
    source = f"file:{_quoted(path.resolve())}?immutable=1"
    try:
        with (
            contextlib.closing(sqlite3.connect(source, uri=True)) as broken,
            contextlib.closing(sqlite3.connect(copy)) as whole,
        ):
            # Without this sqlite opens no file that is shorter than its header says.
            broken.execute("PRAGMA writable_schema=ON")
            whole.execute("PRAGMA journal_mode=OFF")
            tables = dict(broken.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
            for table in (*_TABLES, "messages"):
                if table in tables:
                    whole.execute(tables[table])
            for table in _TABLES:
                if table in tables:
                    _copy(broken.execute(f"SELECT * FROM {table}"), whole, table)  # noqa: S608  # names from above
            count, why = 0, ""
            rows = broken.execute("SELECT id, topic_id, timestamp, data FROM messages ORDER BY id")
            try:
                for row in rows:
                    whole.execute("INSERT INTO messages(id, topic_id, timestamp, data) VALUES(?, ?, ?, ?)", row)
                    count += 1
            except sqlite3.DatabaseError as error:
                why = str(error)
            whole.commit()
    except sqlite3.Error as error:
        raise ValueError(f"not even its topics can be read: {error}") from error
    return copy, count, why


def _copy(rows: Iterator[tuple[object, ...]], target: sqlite3.Connection, table: str) -> None:
    for row in rows:
        target.execute(f"INSERT INTO {table} VALUES({', '.join('?' * len(row))})", row)


def _quoted(path: Path) -> str:
    """A path inside a sqlite URI."""
    from urllib.parse import quote

    return quote(str(path))
