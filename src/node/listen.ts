// Opening a port, and saying who has it when it is taken.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { addressText } from '../config/address.ts';
import { bindShared, listenOn, type Handle } from '../net/handle.ts';

export type PortKind = 'gate' | 'node' | 'admin';

export interface Listening<K extends PortKind = 'gate' | 'node'> {
  kind: K;
  host: string;
  port: number;
  close(): void;
}

/** As the original; connections wait here while the manager is busy. */
export const BACKLOG = 511;

/** Throws one sentence with address, reason and, for a port that is taken, the process that holds it where that can be known. */
export async function listen<K extends PortKind>(server: net.Server, host: string, port: number, kind: K): Promise<Listening<K>> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port, kind)));
    server.listen({ host, port, backlog: BACKLOG }, () => resolve());
  });
  return { kind, host, port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** A port that is ours, and that nobody can connect to until a process listens on its handle. */
export interface Reserved<K extends PortKind = 'gate' | 'node'> extends Listening<K> {
  readonly handle: Handle;
  /** Begins to accept in this process. */
  open(server: net.Server): Promise<void>;
}

/** Takes a port; throws as listen() does. */
export async function reserve<K extends PortKind>(host: string, port: number, kind: K): Promise<Reserved<K>> {
  // binding alone does not tell that a port is taken; listening does
  const probe = net.createServer();
  await listen(probe, host, port, kind);
  const found = probe.address() as AddressInfo;
  probe.close();
  const bound = bindShared(found.address, found.port);
  return reservedOn(bound.handle, host, bound.port, kind);
}

/** A port whose descriptor is there already. */
export function reservedOn<K extends PortKind>(handle: Handle, host: string, port: number, kind: K): Reserved<K> {
  let listening: net.Server | undefined;
  return {
    kind,
    host,
    port,
    handle,
    open: (server) =>
      new Promise((resolve, reject) => {
        listening = server;
        server.once('error', (error) => reject(listenError(error, host, port, kind)));
        server.once('listening', resolve);
        listenOn(server, handle, BACKLOG);
      }),
    close: () => (listening ?? handle).close(),
  };
}

export function listenError(error: NodeJS.ErrnoException, host: string, port: number, kind: PortKind): Error {
  const where = `cannot listen on ${addressText(host, port)} (${kind}_port)`;
  if (error.code === 'EADDRINUSE') {
    const holder = holderOf(port);
    return new Error(
      `${where}: the port is taken${holder === undefined ? '' : ` by ${holder}`}; end that, or choose another ${kind}_port`,
      { cause: error },
    );
  }
  if (error.code === 'EADDRNOTAVAIL') {
    return new Error(`${where}: no interface of this machine has the address ${host}; check ${kind}_host`, { cause: error });
  }
  if (error.code === 'EACCES')
    return new Error(`${where}: ports below 1024 need special rights; choose another ${kind}_port`, { cause: error });
  return new Error(`${where}: ${error.message}`, { cause: error });
}

/** Who listens on a TCP port of this machine, as "name (process 123)"; undefined where the system does not tell. */
export function holderOf(port: number): string | undefined {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(file, port)));
    if (inodes.size === 0) return undefined;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (!holdsOne(pid, inodes)) continue;
      const name = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
      return `${name.trim() || 'a process'} (process ${pid})`;
    }
  } catch {
    // not Linux, or not allowed to look
  }
  return undefined;
}

function listeningInodes(file: string, port: number): string[] {
  const LISTEN = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words[1]?.endsWith(suffix) && words[3] === LISTEN)
    .map((words) => words[9]!);
}

function holdsOne(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        return inode !== undefined && inodes.has(inode);
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
