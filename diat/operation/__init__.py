"""What keeps the platform itself going: settings, the recent log, backups, versions, reports of bugs."""
