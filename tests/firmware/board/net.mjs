// TCP for the board, on Node's net. Every call answers with an integer, negative for an errno, and never throws:
// an exception of JavaScript would unwind the whole call of the interpreter.
import net from 'node:net';

const AGAIN = 11, BADF = 9, PIPE = 32, RESET = 104, UNREACHABLE = 113;
const NUMBERS = { ECONNREFUSED: 111, ECONNRESET: RESET, EPIPE: PIPE, ETIMEDOUT: 110 };
const RECEIVE_WINDOW = 8192, SEND_WINDOW = 16384;   // as small as those of a chip

export class Net {
  constructor(onEvent, power) {
    this.power = power;
    this.sockets = new Map();
    this.next = 1;
    this.onEvent = onEvent;
    this.down = false;        // the radio is gone: all sockets are dead
    this.deaf = false;        // packets vanish, and nobody says so
    this.sent = 0;
  }
  connect(host, port) {
    if (this.down || !/^(127\.|localhost$)/.test(host)) return -UNREACHABLE;
    const fd = this.next++, socket = { queue: [], waiting: 0, open: false, error: 0, end: false };
    const tcp = socket.tcp = net.connect({ host, port, noDelay: true });
    this.sockets.set(fd, socket);
    const tell = () => this.onEvent(fd);
    tcp.on('connect', () => { socket.open = true; tell(); });
    tcp.on('data', (data) => {
      if (this.deaf || this.down) return;
      socket.queue.push(data);
      socket.waiting += data.length;
      if (socket.waiting > RECEIVE_WINDOW) tcp.pause();
      tell();
    });
    tcp.on('drain', tell);
    tcp.on('error', (error) => { socket.error = NUMBERS[error.code] || 5; tell(); });
    tcp.on('close', () => { socket.end = true; tell(); });
    tcp.on('end', () => { socket.end = true; tell(); });
    return fd;
  }
  state(fd) {
    const socket = this.sockets.get(fd);
    if (!socket || this.down) return -RESET;
    return socket.error ? -socket.error : socket.open ? 1 : 0;
  }
  send(fd, bytes) {
    const socket = this.sockets.get(fd);
    if (!socket) return -BADF;
    if (this.down || socket.end) return -RESET;
    if (socket.error) return -socket.error;
    if (socket.tcp.writableLength > SEND_WINDOW) return -AGAIN;
    const write = (count) => {
      if (!this.deaf) socket.tcp.write(Buffer.from(bytes.subarray(0, count)));
      this.sent += count;
      return count;
    };
    return this.power.cross('send ' + (bytes[0] >> 4), () => write(bytes.length), () => write(bytes.length >> 1));
  }
  receive(fd, into) {
    const socket = this.sockets.get(fd);
    if (!socket) return -BADF;
    if (this.down) return -RESET;
    const first = socket.queue[0];
    if (first === undefined) return socket.error ? -socket.error : socket.end ? 0 : -AGAIN;
    return this.power.cross('receive', () => this.take(socket, first, into));
  }
  take(socket, first, into) {
    const part = first.subarray(0, into.length);
    if (part.length < first.length) socket.queue[0] = first.subarray(part.length); else socket.queue.shift();
    part.copy(into);
    socket.waiting -= part.length;
    if (socket.waiting <= RECEIVE_WINDOW && socket.tcp.isPaused()) socket.tcp.resume();
    return part.length;
  }
  close(fd) {
    this.sockets.get(fd)?.tcp.destroy();
    this.sockets.delete(fd);
    return 0;
  }
  drop() {
    for (const [fd, socket] of this.sockets) { socket.tcp.destroy(); socket.end = true; this.onEvent(fd); }
  }
}
