// The one who started a node as a part of a cluster: "kim up" speaks with it over the channel that fork() made.

import type { FromNode, ToNode } from '../operator/local/node-process.ts';

export interface Parent {
  /** Resolves when the message has left this process, or never can. */
  tell(message: FromNode): Promise<void>;
  onMessage(handler: (message: ToNode) => void): void;
  /** Calls back when the other end is gone. */
  onGone(handler: () => void): void;
}

/** Undefined for a process that was not forked. */
export function findParent(self: NodeJS.Process = process): Parent | undefined {
  if (self.send === undefined) return undefined;
  return {
    tell: (message) =>
      new Promise((resolve) => {
        if (self.connected) self.send!(message, () => resolve());
        else resolve();
      }),
    onMessage(handler) {
      self.on('message', (message) => handler(message as ToNode));
      // the channel alone keeps nothing alive: a node that has drained ends
      self.channel?.unref();
    },
    onGone: (handler) => void self.once('disconnect', handler),
  };
}
