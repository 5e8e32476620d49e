// What other workers of ours ask about clients of this one.

import { Fault } from '../errors.ts';
import { answer, bind, control, decodeSpread, encodeResults, locate, membership, results, spreadReply, unbind } from './control.ts';
import type { ClientRef, Messenger } from './messenger.ts';
import type { Peer } from './peer.ts';

type Reply = (code: number, data: Uint8Array) => void;
type Order = (data: Buffer, peer: Peer) => Uint8Array | Promise<Uint8Array>;

const NOTHING = Buffer.alloc(0);
/** Answer, by what a worker says of its own client. */
const numbers = {
  done: results.done,
  bound: results.done,
  absent: results.absent,
  unknown: results.absent,
  refused: results.refused,
  replaced: results.replaced,
};

const here = (id: string): ClientRef => ({ id, peer: undefined });
const said = async (result: Promise<keyof typeof numbers>): Promise<Uint8Array> => answer.encode({ result: numbers[await result] });

export class Orders {
  readonly #table: ReadonlyMap<number, Order>;

  constructor(messenger: Messenger) {
    const { delivery, binder, users } = messenger;
    const spread: Order = (data) => {
      const { group, frames } = decodeSpread(data);
      return spreadReply.encode(delivery.spread(group, frames));
    };
    this.#table = new Map<number, Order>([
      [control.push, (data) => delivery.push(data)],
      [control.kick, (data) => delivery.kick(data)],
      [control.groupPush, spread],
      [control.broadcast, spread],
      [control.claim, (data, peer) => binder.claimed(peer, data)],
      [
        control.locate,
        (data) =>
          encodeResults(
            Buffer.from(locate.decode(data).users.map((user) => (users.clientOf(user) === undefined ? results.absent : results.done))),
          ),
      ],
      [
        control.bind,
        (data) => {
          const { session, user } = bind.decode(data);
          return said(messenger.bind(here(session), user));
        },
      ],
      [control.unbind, (data) => said(messenger.unbind(here(unbind.decode(data).session)))],
      [
        control.join,
        (data) => {
          const { session, group } = membership.decode(data);
          return said(messenger.join(here(session), group));
        },
      ],
      [
        control.leave,
        (data) => {
          const { session, group } = membership.decode(data);
          return said(messenger.leave(here(session), group));
        },
      ],
    ]);
  }

  /** False if the command is for somebody else. */
  handle(peer: Peer, cmd: number, data: Buffer, reply: Reply): boolean {
    const order = this.#table.get(cmd);
    if (order === undefined) return false;
    try {
      const done = order(data, peer);
      if (done instanceof Promise) done.then((bytes) => reply(0, bytes), refuse(reply));
      else reply(0, done);
    } catch (error) {
      refuse(reply)(error);
    }
    return true;
  }
}

/** A message that does not parse, or is too large: its sender is told, and the link stays. */
function refuse(reply: Reply): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Fault)) throw error;
    reply(error.code, NOTHING);
  };
}
