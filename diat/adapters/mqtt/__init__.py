"""MQTT by paho: the only file that knows the client library is ``link``."""
