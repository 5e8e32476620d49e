// Asks the nodes in pods how they fare, and tells them what to change: their admin servers over the network, changes with signed tokens.

import type { KeyObject } from 'node:crypto';
import { signToken } from '../../ops/admin-token.ts';
import type { NodeView } from '../plan/types.ts';
import { ask } from './ask.ts';
import { configOf, saidBy, viewOf } from './node-view.ts';

const ASK_MS = 2000;
const TELL_MS = 10_000;
/** Of one answer; a node with hundreds of workers and commands says a few megabytes. */
const MAX_BYTES = 4 << 20;
const MAX_CONFIG_BYTES = 256 << 10;

export interface NodeAddress {
  /** Name of the pod, which is the name of its node. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

interface LookOptions {
  readonly before?: NodeView | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A node refused what it was told: one sentence. */
export class NodeRefusal extends Error {
  override readonly name = 'NodeRefusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export class NodeClient {
  readonly #key: KeyObject;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(key: KeyObject, now: () => number = Date.now) {
    this.#key = key;
    this.#now = now;
  }

  /**
   * Undefined if it does not answer in time, or something else answers there: it may be starting, or gone.
   * `before` is how it was seen the last time: its options are asked for when it says that they are others.
   */
  async look(node: NodeAddress, { before, signal }: LookOptions = {}): Promise<NodeView | undefined> {
    try {
      const status = saidBy(node.name, await this.#get(node, '/status', signal));
      const isKnown = before?.configDigest !== undefined && before.configDigest === status.configDigest;
      return viewOf(status, isKnown ? before.config : configOf(await this.#get(node, '/config', signal, MAX_CONFIG_BYTES)));
    } catch {
      return undefined;
    }
  }

  /** Throws NodeRefusal, or an Error when the node can not be reached. */
  async tell(node: NodeAddress, path: string, body: object, signal?: AbortSignal): Promise<void> {
    const text = JSON.stringify(body);
    const token = signToken(this.#key, { node: node.name, host: node.host, path, body: text }, this.#now() / 1000);
    const { host, port } = node;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await ask({ host, port, path, body: text, headers, withinMs: TELL_MS, maxBytes: MAX_BYTES, signal });
    if (isGood(answer.status)) return;
    throw new NodeRefusal(answer.status, `${node.name} refused ${path}: ${errorOf(answer.text)}`);
  }

  async #get({ host, port }: NodeAddress, path: string, signal: AbortSignal | undefined, maxBytes = MAX_BYTES): Promise<unknown> {
    const { status, text } = await ask({ host, port, path, withinMs: ASK_MS, maxBytes, signal });
    if (!isGood(status)) throw new NodeRefusal(status, errorOf(text));
    return JSON.parse(text);
  }
}

const isGood = (status: number): boolean => status >= 200 && status < 300;

function errorOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return (typeof error === 'string' ? error : text).slice(0, 500);
  } catch {
    return text.slice(0, 500);
  }
}
