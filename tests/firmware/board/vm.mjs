// The official MicroPython in WebAssembly as a board: 32-bit objects, a heap that cannot grow, sockets, pins and a
// flash that outlives the process. What a stock build does otherwise, and why that matters here:
//  - `heapsize` is where the heap starts, not where it ends. It grows by areas at least as large as itself, so with
//    no free block of that size and no more memory it cannot.
//  - The collector runs when the outermost call returns: everything is done in many short calls.
//  - Objects that cross to JavaScript are freed only by its collector: nothing crosses but numbers and texts.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Net } from './net.mjs';

const HERE = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const PACKAGE = '@micropython/micropython-webassembly-pyscript';

// The board's time runs `speed` times as fast as ours. What a busy machine takes this process away for does not count:
// what is a moment here would be minutes there, of which a chip would have made something.
const ours = Date.now.bind(Date);
const MOMENT = 50;                                                 // ms between two looks that nobody waited for
const time = { speed: 1, then: ours(), looked: ours(), due: Infinity };
Date.now = () => {
  const at = ours(), most = Math.max(time.due - time.looked, 0) + MOMENT;
  time.then += Math.min(at - time.looked, most) * time.speed;
  time.looked = at;
  return Math.floor(time.then);
};

function copyIn(FS, from, to) {
  if (fs.statSync(from).isDirectory()) {
    if (!FS.analyzePath(to).exists) FS.mkdir(to);
    for (const name of fs.readdirSync(from)) if (name !== '__pycache__') copyIn(FS, path.join(from, name), to + '/' + name);
  } else FS.writeFile(to, fs.readFileSync(from));
}

// What the board does to the world outside, operation by operation. At the one numbered `cutAt` the power fails: before
// it, in the middle of it (`torn`), or after it.
class Power {
  constructor() { Object.assign(this, { crossed: [], cutAt: 0, phase: 'before' }); }
  cross(name, whole, half) {
    this.crossed.push(name);
    const fails = this.crossed.length === this.cutAt;
    if (fails && this.phase === 'before') this.fail();
    if (fails && this.phase === 'torn') { half?.(); this.fail(); }
    const done = whole();
    if (fails) this.fail();
    return done;
  }
  fail() { process.kill(process.pid, 'SIGKILL'); }
}

// What is under /flash is a folder of the host, written through.
function keepFlash(FS, folder, flash, power) {
  const host = (name) => path.join(folder, name.slice('/flash'.length));
  const within = (name) => typeof name === 'string' && name.startsWith('/flash');
  const absolute = (name) => (name.startsWith('/') ? name : FS.cwd() + '/' + name).replace('//', '/');
  const { write, unlink, rename, mkdir, open } = FS;
  const save = (name) => fs.writeFileSync(host(name), FS.readFile(name));
  let saving = false;
  FS.open = (name, flags, ...rest) => {
    const empties = !saving && within(absolute(name)) && (typeof flags === 'number' ? flags & 0o1000 : /w/.test(flags));
    const opened = () => open.call(FS, name, flags, ...rest);
    return empties ? power.cross('empty', () => { fs.writeFileSync(host(absolute(name)), ''); return opened(); }) : opened();
  };
  FS.write = (stream, buffer, offset, length, ...rest) => {
    const put = (count) => {
      const done = write.call(FS, stream, buffer, offset, count, ...rest);
      flash.written += done;
      saving = true;
      save(stream.path);
      saving = false;
      return done;
    };
    if (!within(stream.path)) return write.call(FS, stream, buffer, offset, length, ...rest);
    if (flash.full) throw new FS.ErrnoError(51);
    return power.cross('write ' + stream.path, () => put(length), () => put(length >> 1));
  };
  const change = (name, kind, inside, outside) => (within(name) ? power.cross(kind, () => { inside(); outside(); }) : inside());
  FS.unlink = (name) => { name = absolute(name); change(name, 'remove', () => unlink.call(FS, name), () => fs.rmSync(host(name))); };
  FS.rename = (a, b) => { a = absolute(a); b = absolute(b); change(a, 'rename', () => rename.call(FS, a, b), () => fs.renameSync(host(a), host(b))); };
  FS.mkdir = (name, mode) => { const full = absolute(name); const made = mkdir.call(FS, name, mode); if (within(full)) fs.mkdirSync(host(full), { recursive: true }); return made; };
}

export async function boot({ heap = 64, pystack = 8, cap = true, lib = {}, folder, world, modules, stdout, raw }) {
  let memory = null;
  const instantiate = WebAssembly.instantiate;
  WebAssembly.instantiate = async (...args) => {
    const made = await instantiate(...args);
    for (const each of Object.values((made.instance || made).exports)) if (each instanceof WebAssembly.Memory) memory = each;
    return made;
  };
  const complain = console.error;      // bound when the module loads; it tells of every refused growth
  console.error = (...args) => /growMemory|grow the heap/.test(String(args[0])) || complain(...args);
  const entry = createRequire(path.join(modules, 'package.json')).resolve(PACKAGE);
  const { loadMicroPython } = await import(pathToFileURL(entry));
  const mp = await loadMicroPython({
    heapsize: heap * 1024, pystack: pystack * 256, stdout: raw ?? stdout, stderr: raw ?? stdout, linebuffer: !raw,
  });
  WebAssembly.instantiate = instantiate;
  console.error = complain;

  const host = { events: [], pins: {}, adc: {}, cause: 1, fed: 0 };
  const flash = { full: false, written: 0 }, power = new Power();
  let wake = null, pump = null, armed = null;
  const turn = () => { try { pump(); } catch (error) { stdout('pump: ' + String(error.message || error)); } };
  const net = new Net((fd) => { if (wake) { wake(fd); turn(); } }, power);
  const view = (address, length) => Buffer.from(memory.buffer, address, length);
  mp.registerJsModule('_host', {
    connect: (name, port) => net.connect(name, port),
    state: (fd) => net.state(fd),
    send: (fd, address, length) => net.send(fd, view(address, length)),
    receive: (fd, address, length) => net.receive(fd, view(address, length)),
    close: (fd) => net.close(fd),
    arm: (ms) => {
      const wait = Math.max(0, ms / time.speed);
      clearTimeout(armed);
      time.due = ours() + wait;
      armed = setTimeout(turn, wait);
      return 0;
    },
    heap: () => heap * 976,                                      // bytes at which there is none left
    random: () => Math.floor(Math.random() * 0x40000000),
    event: (text) => { host.events.push(text); return 0; },
    // A deed in the world, which no power cut undoes.
    deed: (number) => power.cross('deed', () => { fs.appendFileSync(world, number + '\n'); return 0; }),
    pin: (no, value) => { if (value < 0) return host.pins[no] | 0; host.pins[no] = value; return 0; },
    adc: (no) => host.adc[no] | 0,
    cause: () => host.cause,
    fed: () => { host.fed++; return 0; },
  });
  copyIn(mp.FS, path.join(HERE, 'shims'), '/shims');
  for (const [to, from] of Object.entries(lib)) copyIn(mp.FS, from, to);
  mp.FS.mkdir('/flash');
  if (folder) { copyIn(mp.FS, folder, '/flash'); keepFlash(mp.FS, folder, flash, power); }
  mp.runPython("import sys; sys.path[:] = ['/shims', '.frozen', '/lib', '/cases', '/flash']; import boardup, machine");
  mp.runPython('from boardup import pump as _pump, ready as _ready');
  pump = mp.globals.get('_pump');
  wake = mp.globals.get('_ready');
  if (cap) {
    const held = [], most = heap * 1024 - 4096;
    memory.grow = () => { throw new RangeError('the memory of a board does not grow'); };
    for (let at; (at = mp._module._malloc(most));) held.push(at);
    for (const at of held.splice(-1)) mp._module._free(at);        // less than one heap, for what crosses
  }
  const setSpeed = (speed) => { Date.now(); time.speed = speed; };
  return { mp, net, host, flash, power, setSpeed, turn };
}
