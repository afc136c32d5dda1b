"""Small facts that outlive a reset: one JSON file each, replaced as a whole or not at all."""

import json
import os

from diat_node.port import text


class Store:
    """A folder of facts.

    Args:
        folder: where they are kept; None keeps nothing (what is read is the default).
    """

    def __init__(self, folder):
        self.folder = folder
        if folder:
            try:
                os.mkdir(folder)
            except OSError:
                pass  # it is there, or there is no flash: then saving fails and says so

    def load(self, name, default=None):
        """What was saved under a name; the default if nothing, or nothing readable, was."""
        if self.folder is not None:
            try:
                with open(self.folder + "/" + name + ".json") as file:
                    return json.load(file)
            except (OSError, ValueError):
                pass
        return default

    def save(self, name, fact):
        """Save it; a power cut leaves the old or the new one. Answers whether it was saved."""
        if self.folder is None:
            return False
        path = self.folder + "/" + name + ".json"
        try:
            with open(path + "~", "wb") as file:
                file.write(text(fact))
            os.rename(path + "~", path)
        except OSError:
            return False
        return True
