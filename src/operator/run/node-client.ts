// Asks the nodes in pods how they fare, and tells them what to change: their admin servers over the network, changes with signed tokens.

import type { KeyObject } from 'node:crypto';
import { addressText } from '../../config/address.ts';
import { signToken } from '../../ops/admin-token.ts';
import type { NodeView } from '../plan/types.ts';
import { viewOf } from './node-view.ts';

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

  /** Undefined if it does not answer in time, or something else answers there: it may be starting, or gone. */
  async look(node: NodeAddress, signal?: AbortSignal): Promise<NodeView | undefined> {
    try {
      const [status, config] = await Promise.all([
        this.#get(node, '/status', signal),
        this.#get(node, '/config', signal, MAX_CONFIG_BYTES),
      ]);
      return viewOf(node.name, status, config);
    } catch {
      return undefined;
    }
  }

  /** Throws NodeRefusal, or an Error when the node can not be reached. */
  async tell(node: NodeAddress, path: string, body: object, signal?: AbortSignal): Promise<void> {
    const text = JSON.stringify(body);
    const token = signToken(this.#key, { node: node.name, host: node.host, path, body: text }, this.#now() / 1000);
    const response = await fetch(urlOf(node, path), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: text,
      redirect: 'error',
      signal: within(TELL_MS, signal),
    });
    const answer = await textOf(response);
    if (response.ok) return;
    throw new NodeRefusal(response.status, `${node.name} refused ${path}: ${errorOf(answer)}`);
  }

  async #get(node: NodeAddress, path: string, signal: AbortSignal | undefined, maxBytes = MAX_BYTES): Promise<unknown> {
    const response = await fetch(urlOf(node, path), { redirect: 'error', signal: within(ASK_MS, signal) });
    const text = await textOf(response, maxBytes);
    if (!response.ok) throw new NodeRefusal(response.status, errorOf(text));
    return JSON.parse(text);
  }
}

const urlOf = ({ host, port }: NodeAddress, path: string): string => `http://${addressText(host, port)}${path}`;

function within(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const deadline = AbortSignal.timeout(ms);
  return signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
}

async function textOf(response: Response, maxBytes = MAX_BYTES): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function errorOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return (typeof error === 'string' ? error : text).slice(0, 500);
  } catch {
    return text.slice(0, 500);
  }
}
