// The one file that reaches below net.Socket: taking a live descriptor out of a socket, and giving it to another process.
// Node.js documents sending sockets and servers between processes; what it does not offer is to stop reading at once, without
// which bytes are lost (pause() alone went on reading in 20 to 97 % of tries), and a listening handle nobody accepts on.

import net from 'node:net';

/** An open descriptor on its way between processes; to be sent, adopted or closed exactly once. */
export interface Handle {
  close(): void;
}

interface RawHandle extends Handle {
  readStop(): number;
  onread: unknown;
  getsockname(out: { address?: string; port?: number }): number;
}

interface Internals {
  _handle: RawHandle | null;
}

/**
 * Takes the descriptor out of a socket, which is useless afterwards and emits nothing more. `left` gets what the socket has read and not
 * delivered: a paused one reads ahead. Returns undefined if the socket is closed already.
 */
export function detach(socket: net.Socket, left: (chunk: Buffer) => void): Handle | undefined {
  const inner = socket as unknown as Internals;
  const handle = inner._handle;
  if (handle === null) return undefined;
  handle.readStop();
  handle.onread = () => undefined;
  // before read(), which would begin to read again
  inner._handle = null;
  // before read() too, which also emits what it returns
  socket.removeAllListeners();
  socket.on('error', () => undefined);
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) left(chunk);
  socket.destroy();
  return handle;
}

/** Who gets the bytes of an adopted socket, each piece once and in memory of its own. */
export interface Reader {
  received(piece: Buffer): void;
}

export interface AdoptedSocket extends net.Socket {
  /** Gets the bytes without the stream between; while there is none, they are read from the stream. */
  reader?: Reader;
}

/**
 * A socket on a descriptor that came from another process. Reading begins with the next turn. All of them read into one buffer: memory of
 * 64 KiB for every read, which is what a socket does by itself, costs a third of a small request.
 */
export function adopt(handle: Handle): AdoptedSocket {
  return new net.Socket({
    handle,
    allowHalfOpen: true,
    readable: true,
    writable: true,
    onread,
  } as unknown as net.SocketConstructorOpts);
}

/** A socket that connects to another process of ours or a server, and reads as adopted ones do. */
export function dial(host: string, port: number): AdoptedSocket {
  // connect() looks at none of these: they belong to the socket
  const options: object = { allowHalfOpen: true, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: 100_000 };
  return new net.Socket(options).connect({ host, port });
}

const shared = Buffer.allocUnsafeSlow(64 * 1024);
const onread = { buffer: shared, callback: received };
/** Small pieces share memory: it lives as long as the longest-lived of them, so large ones have their own. */
const OWN_MEMORY_FROM = 1024;

function received(this: AdoptedSocket, bytes: number, from: Uint8Array): boolean {
  const piece = bytes < OWN_MEMORY_FROM ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
  piece.set(bytes === from.length ? from : from.subarray(0, bytes));
  if (this.reader === undefined) return this.push(piece);
  this.reader.received(piece);
  return true;
}

/**
 * A bound descriptor for a port that several processes listen on together: nobody accepts on it here. This is what node:cluster uses for
 * its shared handles. Not SO_REUSEPORT: there each worker has a queue of its own, and what waits in it is reset when the worker ends.
 */
export function bindShared(host: string, port: number): { handle: Handle; port: number } {
  const create = (net as unknown as { _createServerHandle(...a: unknown[]): RawHandle | number })._createServerHandle;
  const handle = create(host, port, net.isIPv6(host) ? 6 : 4, -1, 0);
  if (typeof handle === 'number') {
    throw Object.assign(new Error(`cannot bind ${host}:${port}`), { errno: handle, code: handle === -98 ? 'EADDRINUSE' : 'EBIND', port });
  }
  const name: { port?: number } = {};
  handle.getsockname(name);
  return { handle, port: name.port ?? port };
}

/** Accepts on a descriptor made by bindShared, in this process or in another one. */
export function listenOn(server: net.Server, handle: Handle, backlog: number): void {
  server.listen({ _handle: handle, backlog } as unknown as net.ListenOptions);
}
