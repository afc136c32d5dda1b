"""The world outside: brokers, databases, metrics."""
