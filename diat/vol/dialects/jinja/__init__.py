"""Templates that come with announcements, compiled once and run in a sandbox within bounds."""
