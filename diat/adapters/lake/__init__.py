"""Cold history: whole days of readings and events in Parquet files, sorted, small, and quick to aggregate.

The files are the truth of what was moved: each says in its name which day and which ingest positions it
holds, and counts from the moment of its renaming. Rows of the database that a file holds are left out by
readers until they are deleted, so a crash at any point neither loses nor doubles a reading.
"""
