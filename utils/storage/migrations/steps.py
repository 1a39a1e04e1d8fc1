"""The numbered steps of ``versions/``, and taking those that a database has not had.

``load_steps`` reads the files (so it belongs into a thread); ``upgrade`` takes the missing ones on a connection inside
the caller's transaction. Importing this is slow: it brings Alembic along, which only a database that is not up to date
needs; go through the package.
"""

from __future__ import annotations

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, inspect

from utils.storage.errors import NewerSchemaError, NotOurDatabaseError
from utils.storage.schema import metadata


def load_steps() -> ScriptDirectory:
    """Read all steps; blocking, touches files, needs no database."""
    steps = ScriptDirectory(str(Path(__file__).parent))
    steps.get_heads()  # reads the files now, so that ``upgrade`` need not
    return steps


def upgrade(connection: Connection, steps: ScriptDirectory) -> None:
    """Take the steps this database has not had yet; the caller's transaction holds them together.

    :raises NewerSchemaError: the database has had steps this program does not know.
    :raises NotOurDatabaseError: it has had none, yet tables of our names are there.
    """
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
    current = context.get_current_revision()
    if current is None:
        _refuse_foreign_tables(connection)
    for step in reversed(_missing(steps, current)):
        with Operations.context(context):
            step.module.upgrade()
        context.stamp(steps, step.revision)


def _missing(steps: ScriptDirectory, current: str | None) -> list[Script]:
    try:
        return list(steps.iterate_revisions("heads", current or "base"))
    except RevisionError:
        raise NewerSchemaError(
            f"The database was written by a newer version of this program (schema {current}); "
            "update the program, or name another database in DATABASE_URL."
        ) from None


def _refuse_foreign_tables(connection: Connection) -> None:
    taken = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if taken:
        raise NotOurDatabaseError(
            f"The database holds another program's tables ({', '.join(taken)}); name another one in DATABASE_URL."
        )
