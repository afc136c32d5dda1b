// A board that is told by lines of JSON on its input what to do, and answers each with one. Usage: node board.mjs OPTIONS
import readline from 'node:readline';
import { boot } from './vm.mjs';

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const board = await boot({ ...JSON.parse(process.argv[2]), stdout: (text) => say({ said: text }) }).catch((error) => {
  say({ error: String(error.message || error) });     // its stack would be the whole interpreter
  process.exit(1);
});
const { mp, net, host, flash, power } = board;

function does(order) {
  if (order.speed) board.setSpeed(order.speed);
  if (order.net) Object.assign(net, order.net);
  if (order.drop) net.drop();
  if (order.host) Object.assign(host, order.host);
  if (order.flash) Object.assign(flash, order.flash);
  if (order.power) Object.assign(power, { crossed: [] }, order.power);
  if (order.run) { mp.runPython(order.run); board.turn(); }
  if (order.host || order.look) return { host, flash, crossed: power.crossed, sent: net.sent };
  if (order.give) {
    mp.runPython(`import json as _j\n_given = _j.dumps(${order.give})`);
    return JSON.parse(mp.globals.get('_given'));
  }
  return null;
}

say({ ready: true });
for await (const line of readline.createInterface({ input: process.stdin })) {
  try { say({ value: does(JSON.parse(line)) }); } catch (error) { say({ error: String(error.message || error) }); }
}
process.exit(0);
