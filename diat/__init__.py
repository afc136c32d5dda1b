"""DIAT: an IoT middleware that composes services from whatever MQTT things are there."""
