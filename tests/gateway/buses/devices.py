"""Devices that tests put on a bus: real servers, pymodbus' and Python's own HTTP server."""

import asyncio
import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pymodbus.datastore import ModbusDeviceContext, ModbusServerContext, ModbusSparseDataBlock
from pymodbus.server import ModbusTcpServer

PATIENCE = 10.0


class ModbusDevice:
    """A Modbus TCP server: some registers of each kind, all else is an illegal address.

    ``registers`` is by function of the store: ``c`` coils, ``d`` discrete inputs, ``h`` holding registers and
    ``i`` input registers, each from address (from 0) to value.
    """

    def __init__(self, units, port=0):
        self.requests = []
        self._blocks = {
            unit: {
                kind: ModbusSparseDataBlock(values or {65_000: 0})
                for kind, values in {"c": {}, "d": {}, "h": {}, "i": {}, **kinds}.items()
            }
            for unit, kinds in units.items()
        }
        self._ready = threading.Event()
        self.port = port
        self._thread = threading.Thread(target=self._run, name="modbus-device")
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def holding(self, address, count=1, unit=1):
        return self._do(self._server.async_getValues(unit, 3, address, count))

    def put(self, address, *values, unit=1):
        self._do(self._server.async_setValues(unit, 16, address, list(values)))

    def _do(self, what):
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE)

    def stop(self):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE)

    def _run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        contexts = {
            unit: ModbusDeviceContext(di=each["d"], co=each["c"], hr=each["h"], ir=each["i"])
            for unit, each in self._blocks.items()
        }
        self._server = server = ModbusTcpServer(
            ModbusServerContext(devices=contexts, single=False),
            address=("127.0.0.1", self.port),
            trace_pdu=self._note,
        )
        serving = asyncio.create_task(server.serve_forever())
        while server.transport is None:  # noqa: ASYNC110 - the library has nothing to wait for
            await asyncio.sleep(0.01)
        self.port = server.transport.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        await server.shutdown()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await asyncio.sleep(0.05)  # what is being closed closes

    def _note(self, sending, pdu):
        if not sending:
            self.requests.append((type(pdu).__name__, pdu.address, getattr(pdu, "count", 1)))
        return pdu


class HttpDevice:
    """An HTTP server with a state that can be read and written; ``answers`` has what else it does by path."""

    def __init__(self, **state):
        self.state = state
        self.requests = []
        self.answers = {}
        device = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                device.requests.append((self.command, self.path, body))
                status, kind, told = device.answer(self.command, self.path, body)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(told)))
                    self.end_headers()
                    self.wfile.write(told)

            do_GET = do_PUT = do_POST = _answer  # noqa: N815 - so the library calls them

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def answer(self, method, path, body):
        if path in self.answers:
            return self.answers[path](body)
        if path == "/state" and method == "PUT":
            self._merge(self.state, json.loads(body))
        elif path != "/state":
            return 404, "text/plain", b"no"
        return 200, "application/json", json.dumps(self.state).encode()

    def _merge(self, state, said):
        for name, value in said.items():
            if isinstance(value, dict):
                self._merge(state[name], value)
            else:
                state[name] = value

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)
