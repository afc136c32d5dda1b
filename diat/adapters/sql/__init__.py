"""The database: tables, migrations, the store that the writer commits to, and what is read back."""
