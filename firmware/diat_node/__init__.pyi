from .node import Node as Node

VERSION: str
