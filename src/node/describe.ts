// Tells another node over its connection who is here, now and whenever that changes (cluster/description.ts).

import type net from 'node:net';
import { faults } from '../errors.ts';
import type { Describer } from '../cluster/description.ts';
import { protobufCodec } from '../wire/codecs/protobuf.ts';
import type { Frame } from '../wire/frame.ts';
import { Writer } from '../wire/writer.ts';

/** Nodes that are told; one more is refused and asks again later. */
const MAX_LISTENERS = 4096;
/** It is said again, so that whoever hears nothing for some of these knows that the connection is dead. */
const AGAIN_MS = 10_000;
/** Who does not read for so long is not told any more. */
const MAX_UNREAD = 64 * 1024;

/** Takes over the socket. `asked` is the frame that was read; whatever comes behind it is thrown away. */
export function describe(socket: net.Socket, asked: Frame, describer: Describer): void {
  socket.removeAllListeners('data');
  socket.resume();
  const say = (data: Uint8Array, code = 0, msg = 'ok') => {
    const out = new Writer();
    protobufCodec.writeReply(out, asked, { code, msg, data });
    if (socket.writableLength > MAX_UNREAD) socket.destroy();
    else socket.write(out.take());
  };
  if (describer.listeners >= MAX_LISTENERS) {
    say(Buffer.alloc(0), faults.noConnection.code, `${MAX_LISTENERS} nodes are told already; ask again later`);
    return void socket.destroySoon();
  }
  const again = setInterval(() => say(describer.data), AGAIN_MS);
  const end = describer.listen({ changed: say, ended: () => socket.destroySoon() });
  socket.once('close', () => {
    clearInterval(again);
    end();
  });
  say(describer.data);
}
