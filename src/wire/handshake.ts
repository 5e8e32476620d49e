// How workers of two nodes greet each other on a link: commands 21 to 24 (seeds 1.2), and what ours add to them.

import { Fault } from '../errors.ts';
import { systemType, type ProtoType } from './protobuf.ts';

/** What a worker says of itself in TELL_WORKER and in its reply. */
export interface Greeting {
  readonly nodeType: string;
  readonly host: string;
  readonly port: number;
  readonly worker: number;
  /** 0 and empty for an original, which knows neither field. */
  readonly capabilities: number;
  readonly version: string;
}

/** The worker understands the relay context and the control commands between workers of ours. */
export const CAPABLE = 1;

let type: ProtoType | undefined;
/** Loaded on first use: a gate without links needs no protobufjs. */
const greeting = (): ProtoType => (type ??= systemType('nodes', 'greeting'));

export function encodeGreeting({ nodeType, host, port, worker, capabilities, version }: Greeting): Uint8Array {
  const original = { node_type: nodeType, ip: host, port, worker_index: worker };
  // a field that is set is written, zero or not, and an original writes none of ours
  return greeting().encode(capabilities === 0 ? original : { ...original, capabilities, version });
}

/** Throws Fault invalidMessage. */
export function decodeGreeting(data: Uint8Array): Greeting {
  let read: Record<string, unknown>;
  try {
    read = greeting().decode(data);
  } catch (cause) {
    throw new Fault('invalidMessage', 'parse request failed!', { cause });
  }
  const text = (key: string) => (typeof read[key] === 'string' ? read[key] : '');
  const number = (key: string) => (typeof read[key] === 'number' ? read[key] : 0);
  return {
    nodeType: text('node_type'),
    host: text('ip'),
    port: number('port'),
    worker: number('worker_index'),
    capabilities: number('capabilities'),
    version: text('version'),
  };
}
