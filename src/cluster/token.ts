// What a client that began with HELLO presents to go on with its session: whose, where it was, and a secret. Opaque to the client.

import { Fault } from '../errors.ts';
import { MAX_TOKEN } from '../wire/client-control.ts';
import { messageType } from '../wire/message.ts';
import { MAX_NAME } from './control.ts';

export interface Token {
  readonly session: string;
  /** Node id of the worker that gave it: the first to be asked. */
  readonly worker: string;
  readonly secret: Uint8Array;
}

export const SECRET_BYTES = 16;

const type = messageType('Token', { session: [1, 'text'], worker: [2, 'text'], secret: [3, 'bytes'] });

export const encodeToken = (token: Token): Buffer => type.encode(token);

/** Undefined for what we did not make. */
export function decodeToken(bytes: Buffer): Token | undefined {
  if (bytes.length > MAX_TOKEN) return undefined;
  try {
    const { session, worker, secret } = type.decode(bytes);
    const isOurs = session !== '' && session.length <= MAX_NAME && worker.length <= MAX_NAME && secret.length === SECRET_BYTES;
    return isOurs ? { session, worker, secret: Buffer.from(secret) } : undefined;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
