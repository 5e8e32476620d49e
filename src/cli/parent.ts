// The one who started a node as a part of a cluster: "kim up" speaks with it over the channel that fork() made.

import type { Handle } from '../net/handle.ts';
import type { GivenPort } from '../node/ports.ts';
import { PORTS_VARIABLE, type FromNode, type ToNode } from '../operator/local/node-process.ts';

/** Ports are sent right after the start of the process. */
const PORTS_MS = 10_000;

type Order = Exclude<ToNode, { type: 'port' }>;

export interface Parent {
  /** Resolves with the ports that this node is to accept on; empty if it opens its own. Rejects if they do not come. */
  ports(): Promise<readonly GivenPort[]>;
  /** Resolves when the message has left this process, or never can. */
  tell(message: FromNode): Promise<void>;
  onMessage(handler: (message: Order) => void): void;
  /** Calls back when the other end is gone. */
  onGone(handler: () => void): void;
}

/** Undefined for a process that was not forked. */
export function findParent(self: NodeJS.Process = process): Parent | undefined {
  if (self.send === undefined) return undefined;
  const expected = Number(self.env[PORTS_VARIABLE] ?? 0);
  // meant for this process alone, not for those that it starts
  delete self.env[PORTS_VARIABLE];
  const given: GivenPort[] = [];
  const complete = Promise.withResolvers<readonly GivenPort[]>();
  const early: Order[] = [];
  let obey = (order: Order): void => void early.push(order);
  const receive = (message: ToNode, handle: unknown) => {
    if (message.type !== 'port') return obey(message);
    given.push({ kind: message.kind, host: message.host, port: message.port, handle: handle as Handle });
    if (given.length < expected) return;
    complete.resolve(given);
    // the channel alone keeps nothing alive: a node that has drained, or can not start, ends
    self.channel?.unref();
  };
  if (expected > 0) self.on('message', receive);
  return {
    async ports() {
      if (expected === 0) return [];
      const timer = setTimeout(
        () => complete.reject(new Error(`only ${given.length} of ${expected} ports came from the process that started this node`)),
        PORTS_MS,
      );
      return complete.promise.finally(() => clearTimeout(timer));
    },
    tell: (message) =>
      new Promise((resolve) => {
        if (self.connected) self.send!(message, () => resolve());
        else resolve();
      }),
    onMessage(handler) {
      obey = handler;
      for (const order of early.splice(0)) handler(order);
      if (expected === 0) self.on('message', receive);
      self.channel?.unref();
    },
    onGone: (handler) => void self.once('disconnect', handler),
  };
}
