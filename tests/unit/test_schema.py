"""The migrations build what ``tables`` says, and a database of a newer version is not touched."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from diat.adapters.sql.database import open_database
from diat.adapters.sql.tables import metadata
from diat.kernel.errors import SetupError


def test_the_migrations_build_the_tables(tmp_path):
    engine = open_database(tmp_path / "diat.db")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert found == []


def test_opening_twice_changes_nothing(tmp_path):
    for _ in range(2):
        open_database(tmp_path / "diat.db").dispose()


def test_a_database_of_a_newer_version_is_refused(tmp_path):
    engine = open_database(tmp_path / "diat.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(SetupError, match="newer version"):
        open_database(tmp_path / "diat.db")


def test_what_is_no_database_is_refused_in_one_line(tmp_path):
    (tmp_path / "diat.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SetupError, match="cannot open the database") as refused:
        open_database(tmp_path / "diat.db")
    assert "\n" not in str(refused.value)
