// The client's bytes over TCP: the only file of the client that needs Node.js.

import net from 'node:net';
import type { Address, Link, LinkEvents, Transport } from './transport.ts';

export const tcpTransport: Transport = {
  connect: (to, events) => new TcpLink(to, events),
  afterTurn: (task) => void setImmediate(task),
};

class TcpLink implements Link {
  readonly #socket: net.Socket;

  constructor({ host, port }: Address, events: LinkEvents) {
    let error: Error | undefined;
    let isOpen = false;
    this.#socket = net.connect({ host, port, noDelay: true, keepAlive: true });
    this.#socket.on('connect', () => {
      isOpen = true;
      events.opened();
    });
    this.#socket.on('data', (bytes) => events.data(bytes));
    this.#socket.on('error', (cause: NodeJS.ErrnoException) => {
      error = new Error(isOpen ? `the connection failed (${cause.message})` : whyNot(cause), { cause });
    });
    this.#socket.on('close', () => events.closed(error));
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Reason and cure of a connection that could not be made. */
function whyNot(cause: NodeJS.ErrnoException): string {
  // a name with several addresses fails with one error for each
  const { code } = cause instanceof AggregateError ? (cause.errors[0] as NodeJS.ErrnoException) : cause;
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there; start the server ("npm run up") or check host and port';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name is not known; check how it is written, and that the network has a name server';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to that address; check the network';
    case 'ETIMEDOUT':
      return 'nobody answers at that address; check host and port, and what stands in between';
    default:
      return cause.message || String(code);
  }
}
