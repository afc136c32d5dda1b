"""The MQTT brokers a daemon can own as a child process, and the address of one that it does not own."""
