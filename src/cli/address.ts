// Addresses as people write them.

import { UsageError } from './problem.ts';

/** Host and port of `127.0.0.1:3355`, `[::1]:3355`, `:3355` or `3355`. */
export function parseAddress(text: string): { host: string; port: number } {
  const [, v6, name, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]/\s]*)):)?(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65535) {
    throw new UsageError(`"${text}" is no address; write host:port with a port from 1 to 65535, as 127.0.0.1:3355`);
  }
  return { host: v6 ?? (name === undefined || name === '' ? '127.0.0.1' : name), port };
}

/** The URL of a node's admin server, with "/" at its end. */
export function parseAdminUrl(text: string): URL {
  if (/^https?:\/\//.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol === 'http:') return new URL('/', url);
    throw new UsageError(`"${text}" is no address of an admin server; write http://host:port`);
  }
  const { host, port } = parseAddress(text);
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}/`);
}
