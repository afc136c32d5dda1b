"""Lives of a platform that end, by SIGKILL, where a test says."""
