// The prompt of a board, on standard input and output: what mpremote speaks to. Usage: node repl.mjs OPTIONS
import { boot } from './vm.mjs';

const options = JSON.parse(process.argv[2]);
const { mp } = await boot({ ...options, cap: false, raw: (bytes) => process.stdout.write(Buffer.from(bytes)) });
mp.replInit();
process.stdin.on('data', (data) => {
  const paste = data.indexOf('\x05A\x01');        // raw paste would have to block: declined, as older boards do
  if (paste >= 0) {
    process.stdout.write('R\x00');
    data = Buffer.concat([data.subarray(0, paste), data.subarray(paste + 3)]);
  }
  for (const byte of data) {
    if (mp.replProcessChar(byte)) { process.stdout.write('MPY: soft reboot\r\n'); mp.replInit(); }
  }
});
