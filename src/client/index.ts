// The TypeScript client: what applications import.

import { Client } from './client.ts';
import { settingsOf, type ClientOptions } from './options.ts';
import { tcpTransport } from './transport-tcp.ts';

export { Answer } from './answer.ts';
export type { ReconnectOptions } from './backoff.ts';
export { Client, type RequestOptions } from './client.ts';
export { protobufClientCodec, type ClientCodec } from './codec.ts';
export { AnswerError, ClientError, type ClientErrorCode } from './error.ts';
export type { Moved } from './moves.ts';
export type { ClientOptions } from './options.ts';
export type { ServerClock, Session } from './session.ts';
export type { ClientState } from './state.ts';
export type { Address, Link, LinkEvents, Transport } from './transport.ts';

/**
 * A client of one server. It connects with the first request, or with connect(). Throws RangeError for options out of range.
 *
 *     await using client = createClient({ host: '127.0.0.1', port: 3355 });
 *     const answer = await client.request(1001, '1 - hello');
 *     console.log(answer.code, answer.msg, answer.text()); // 0 ok good job!
 */
export function createClient(options: ClientOptions): Client {
  return new Client(settingsOf(options, tcpTransport));
}
