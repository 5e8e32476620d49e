// Sessions of a worker that leaves go on at another one. The gates keep every request meanwhile, so that their clients notice a pause at most.
//
//   pause ----> gate        nothing more comes on its link
//   (wait for handlers at work)
//   migrate --> new owner   session, user, properties, what modules export
//   moved ----> gate        where each session goes on
//   end of the link         what waited at the gate is sent to the new owner

import { deserialize, serialize } from 'node:v8';
import { control, MAX_NAMES, MAX_PROPERTIES, migrate, moved } from '../cluster/control.ts';
import type { Links } from '../cluster/links.ts';
import { Fault } from '../errors.ts';
import type { Peer } from '../cluster/peer.ts';
import type { Logger } from '../ops/log.ts';
import { Hooks } from '../route/hooks.ts';
import type { Module } from '../route/module.ts';
import type { Client } from '../session/client.ts';
import { readSaved } from '../session/session.ts';
import type { IncomingPeer } from './incoming-peer.ts';
import type { LinkServer } from './link-server.ts';
import type { Seat } from './seat.ts';

/** How many sessions are on their way at once. */
const MOVING = 64;
/** Handlers that take longer keep only their own sessions from moving. */
const MAX_WAIT_MS = 1000;
const ASK_MS = 2000;

/** What travels with a session. */
interface Luggage {
  readonly properties: Uint8Array | undefined;
  /** What modules export, by their names. */
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface MigrationOptions {
  links: Links;
  server: LinkServer;
  modules: readonly Module[];
  log: Logger;
}

export class Migration {
  readonly #options: MigrationOptions;

  constructor(options: MigrationOptions) {
    this.#options = options;
  }

  /** Gives all sessions away; `ownerOf` says where each goes on, undefined if nowhere. Resolves when it is done, whatever became of each. */
  async run(ownerOf: (session: string) => string | undefined): Promise<void> {
    new Hooks(this.#options.modules, this.#options.log).drain();
    await Promise.all([...this.#options.server.peers].map((peer) => this.#leave(peer, ownerOf)));
    const { seats } = this.#options.server;
    for (const seat of [...seats.values()]) this.#options.server.left(seat, 'drain');
  }

  async #leave(peer: IncomingPeer<Seat>, ownerOf: (session: string) => string | undefined): Promise<void> {
    const seats = () => [...peer.known.values()].filter(({ connection }) => connection === peer.connection);
    if (!(await ask(peer, control.pause, new Uint8Array()))) return;
    await this.#quiet(seats);
    const byOwner = new Map<string, string[]>();
    const waiting = seats();
    const moveSome = async (): Promise<void> => {
      for (let seat = waiting.pop(); seat !== undefined; seat = waiting.pop()) {
        const owner = await this.#moveOne(seat, ownerOf);
        if (owner === undefined) continue;
        const sessions = byOwner.get(owner) ?? [];
        sessions.push(seat.id);
        byOwner.set(owner, sessions);
      }
    };
    await Promise.all(Array.from({ length: MOVING }, moveSome));
    for (const [worker, sessions] of byOwner) {
      for (let i = 0; i < sessions.length; i += MAX_NAMES) {
        await ask(peer, control.moved, moved.encode({ worker, sessions: sessions.slice(i, i + MAX_NAMES) }));
      }
    }
  }

  /** Waits for handlers at work. */
  async #quiet(seats: () => readonly Seat[]): Promise<void> {
    const busy = () => seats().some(({ running, queue }) => running.length > 0 || queue !== undefined);
    if (!busy()) return;
    const { server } = this.#options;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, MAX_WAIT_MS);
      const before = server.onIdle;
      server.onIdle = (seat) => {
        before?.(seat);
        if (busy()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #moveOne(seat: Seat, ownerOf: (session: string) => string | undefined): Promise<string | undefined> {
    const { links, server, log } = this.#options;
    const owner = ownerOf(seat.id);
    const to = owner === undefined ? undefined : links.reach(owner);
    const { client } = seat;
    if (owner === undefined || to === undefined || client === undefined || seat.running.length > 0) return owner;
    const properties = serialize(this.#pack(client));
    const { id: session, user, remote: address, gate } = seat;
    // a frame that is too large would cost the link, and everybody on it
    const isSmall = properties.length <= MAX_PROPERTIES;
    const isThere = isSmall && (await ask(to, control.migrate, migrate.encode({ session, user, address, gate, properties })));
    if (!isThere) log.warn('session can not move to another worker', { client: session, worker: owner, bytes: properties.length });
    server.left(seat, isThere ? 'moved' : 'drain');
    return owner;
  }

  #pack(client: Client): Luggage {
    const { modules, log } = this.#options;
    const { bytes, lost } = client.hasSession ? client.session.save() : { bytes: undefined, lost: [] };
    if (lost.length > 0) log.warn('session properties can not move to another worker', { client: client.id, lost });
    const exports: Record<string, unknown> = {};
    for (const module of modules) {
      if (module.export === undefined) continue;
      try {
        const value = structuredClone(module.export(client));
        if (value !== undefined) exports[module.name] = value;
      } catch (error) {
        log.error('hook of a module failed', { module: module.name, hook: 'export', err: error });
      }
    }
    return { properties: bytes, exports };
  }

  /** Takes a session that another worker gives away. Throws Fault for what does not parse. */
  arrive(data: Buffer): void {
    const { server, modules, log } = this.#options;
    const { session, user, address, properties } = migrate.decode(data);
    const luggage = readLuggage(properties);
    server.arrive(session, address, user, (client) => {
      if (luggage.properties !== undefined) client.session.restore(luggage.properties);
      for (const module of modules) {
        if (module.import === undefined || !Object.hasOwn(luggage.exports, module.name)) continue;
        const value = luggage.exports[module.name];
        try {
          module.import(client, value);
        } catch (error) {
          log.error('hook of a module failed', { module: module.name, hook: 'import', err: error });
        }
      }
    });
  }
}

/** Everything is read before a session is begun with it. */
function readLuggage(bytes: Uint8Array): Luggage {
  let luggage: unknown;
  try {
    luggage = deserialize(bytes);
  } catch (error) {
    throw new Fault('invalidMessage', `what Migrate carries can not be read: ${(error as Error).message}`);
  }
  const { properties, exports } = (luggage ?? {}) as Partial<Luggage>;
  if (typeof exports !== 'object' || exports === null) throw new Fault('invalidMessage', 'what Migrate carries is no luggage of a session');
  if (properties !== undefined) {
    if (!(properties instanceof Uint8Array)) throw new Fault('invalidMessage', 'what Migrate carries has properties that are no bytes');
    readSaved(properties);
  }
  return { properties, exports };
}

/** True if the peer took it. */
function ask(peer: Peer, cmd: number, data: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    peer.ask(cmd, data, (fault) => resolve(fault === undefined), ASK_MS);
  });
}
