// A process with very many clients, so that their descriptors are not those of the node: started with a port and a number, it connects
// them all, tells its parent when they are connected and how many were closed, and keeps them until its parent is gone.

import net from 'node:net';

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
/** As many as the originals' load client has under way at once. */
const AT_ONCE = 500;

let started = 0;
let connected = 0;
let failed = 0;
let closed = 0;

const tell = () => process.send!({ connected, failed, closed });

function next(): void {
  if (started === count) return;
  started++;
  const socket = net.connect({ port, host: '127.0.0.1' });
  let isConnected = false;
  const done = () => {
    if (connected + failed === count) tell();
    next();
  };
  socket.on('connect', () => {
    isConnected = true;
    connected++;
    done();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (isConnected) {
      closed++;
      if (connected + failed === count) tell();
    } else {
      failed++;
      done();
    }
  });
  socket.resume();
}

for (let i = 0; i < AT_ONCE; i++) next();
process.on('message', tell);
process.on('disconnect', () => process.exit());
