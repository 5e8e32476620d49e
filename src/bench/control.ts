// One request to the measured worker, for what only it can tell: its heap after a collection, its CPU profile.

import net from 'node:net';
import { readBody } from '../wire/body.ts';
import { protobufCodec } from '../wire/codecs/protobuf.ts';
import { requestFrame } from './frames.ts';

const DEADLINE_MS = 60_000;
const MAX_REPLY = 1024 * 1024 * 1024;

/** Sends a command and returns the data of its reply. Throws when there is none in time or its code is not 0. */
export function ask(port: number, cmd: number, asked = ''): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const decoder = protobufCodec.decoder(MAX_REPLY);
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error(`the node did not answer command ${cmd} within ${DEADLINE_MS} ms`)));
    socket.write(requestFrame(cmd, 1, asked));
    socket.on('data', (chunk) => {
      decoder.feed(chunk);
      const frame = decoder.next();
      if (frame === undefined) return;
      const { result, data } = readBody(frame.body);
      if (result?.code === 0) resolve(data);
      else reject(new Error(`the node answered command ${cmd} with code ${result?.code}: ${result?.msg.toString()}`));
      socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the node closed the connection before it answered command ${cmd}`)));
  });
}
