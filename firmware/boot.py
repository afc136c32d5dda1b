"""Chooses what runs: the slot in use, or a new one for as many starts as it has left. Never updated itself.

It needs nothing but what is in every image, so that a broken update cannot break it.
"""

import json
import os
import sys


def choose(folder=""):
    """The folder to import from; a start of a slot on trial is counted before anything of it runs."""
    path = folder + "/update.json"
    try:
        with open(path) as file:
            state = json.load(file)
    except (OSError, ValueError):
        return folder + "/a"
    if "trial" not in state:
        return folder + "/" + state["slot"]
    if state["left"] > 0:
        state["left"] -= 1
        chosen = state["trial"]
    else:
        chosen = state["slot"]
        state = {"slot": chosen, "n": state["n"], "failed": state["next"]}
    with open(path + "~", "w") as file:
        file.write(json.dumps(state))
    os.rename(path + "~", path)
    return folder + "/" + chosen


if __name__ == "__main__":
    sys.path.insert(0, choose())
