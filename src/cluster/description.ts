// What a node says of itself to other nodes that know only its address, as those of Kubernetes' EndpointSlices do: command 25 on the node port,
// answered with 26 at once and again with each change, for as long as the connection stays.

import type { Announcement } from './directory.ts';
import { messageType } from '../wire/message.ts';

const type = messageType('Description', {
  type: [1, 'text'],
  name: [2, 'text'],
  workers: [3, 'uint32'],
  active_time: [4, 'double'],
  draining: [5, 'bool'],
  version: [6, 'text'],
  connections: [7, 'uint32'],
  gate: [8, 'text'],
});

/** Longest text in it, in bytes. */
const MAX_TEXT = 256;

/** What is said without where: whoever asked knows the address. */
export type Described = Omit<Announcement, 'host' | 'port'>;

/** Undefined says that the node is not to be found any more. */
export function encodeDescription(self: Described | undefined): Buffer {
  if (self === undefined) return type.encode({});
  const { name, workers, activeTime, facts } = self;
  return type.encode({
    type: self.type,
    name,
    workers,
    active_time: activeTime,
    draining: facts?.state === 'draining',
    version: facts?.version ?? '',
    connections: facts?.connections ?? 0,
    gate: facts?.gate ?? '',
  });
}

/** Throws Fault invalidMessage. */
export function decodeDescription(data: Buffer): Described | undefined {
  const { name, workers, active_time: activeTime, draining, version, connections, gate, ...said } = type.decode(data);
  const isTooLong = [said.type, name, version, gate].some((text) => Buffer.byteLength(text) > MAX_TEXT);
  if (said.type === '' || isTooLong || workers === 0 || !(activeTime > 0)) return undefined;
  return { type: said.type, name, workers, activeTime, facts: { state: draining ? 'draining' : 'serving', version, connections, gate } };
}

export interface DescriptionListener {
  changed(data: Buffer): void;
  /** Nothing is said any more. */
  ended(): void;
}

/** Keeps those who asked informed. */
export class Describer {
  #data = encodeDescription(undefined);
  readonly #listeners = new Set<DescriptionListener>();

  /** Told to those who ask now. */
  get data(): Buffer {
    return this.#data;
  }

  say(self: Described | undefined): void {
    const data = encodeDescription(self);
    if (data.equals(this.#data)) return;
    this.#data = data;
    for (const listener of this.#listeners) listener.changed(data);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Returns what ends it. */
  listen(listener: DescriptionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The node ends: whoever still knew it learns that. */
  close(): void {
    this.say(undefined);
    for (const listener of [...this.#listeners]) listener.ended();
  }
}
