"""The same cases on CPython and on the real MicroPython."""

from __future__ import annotations

import asyncio
import importlib
import inspect

import pytest

from tests.firmware.conftest import CASES

MODULES = sorted(path.stem for path in CASES.glob("case_*.py"))


def cases(module: str) -> list[str]:
    return [name for name in vars(importlib.import_module(module)) if name.startswith("test_")]


@pytest.mark.parametrize(("module", "name"), [(m, n) for m in MODULES for n in cases(m)])
def test_on_cpython(module: str, name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = getattr(importlib.import_module(module), name)()
    if inspect.iscoroutine(done):
        asyncio.run(done)


@pytest.mark.parametrize("module", MODULES)
def test_on_micropython(boards, module: str) -> None:
    # Within one call nothing is collected, so a case leaves more behind than a chip has; the heap is capped
    # where it counts, in test_hour.py.
    board = boards(heap=256, cap=False)
    for library in ("mqtt", "ring", "commands", "journal", "reporting", "node"):
        board.run(f"import diat_node.{library}")
    board.run(f"import os; os.chdir('/flash'); import asyncio; import {module}")
    for name in cases(module):
        board.run(f"ended = []; done = {module}.{name}()")
        board.run(
            "async def _end(c):\n"
            "    try:\n        await c\n        ended.append('')\n"
            "    except BaseException as e:\n"
            "        import sys; sys.print_exception(e); ended.append(repr(e))\n"
            "if hasattr(done, 'send'): asyncio.create_task(_end(done))\nelse: ended.append('')"
        )
        while not (ended := board.give("ended")):
            pass
        assert ended == [""], f"{name}: {ended} {board.said[-20:]}"
