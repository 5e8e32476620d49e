// What goes wrong with a request on the client's side. A reply with a code other than 0 is an answer, not one of these.

import { faultByCode, type FaultName } from '../errors.ts';
import type { Answer } from './answer.ts';

/**
 * - `timeout`: no answer came in time; the request may have been done all the same
 * - `closed`: the connection was lost before the answer came, or the client was closed; the request may have been done
 * - `connect`: no connection could be made
 * - `overload`: too many requests or unsent bytes in this client; nothing was sent
 * - `invalid`: the request cannot be sent as it is
 * - `kicked`: the server ended the session; what was sent may have been done
 */
export type ClientErrorCode = 'timeout' | 'closed' | 'connect' | 'overload' | 'invalid' | 'kicked';

export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What `answer.orThrow()` throws: the fault that the server answered with. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly code: number;
  /** The name of the fault; undefined for codes that an application made up. */
  readonly fault: FaultName | undefined;
  readonly answer: Answer;

  constructor(answer: Answer) {
    const row = faultByCode(answer.code);
    const advice = row === undefined ? '' : `; ${row.cure}`;
    super(`command ${answer.cmd} carries code ${answer.code}: ${answer.msg || (row?.text ?? 'no text')}${advice}`);
    this.code = answer.code;
    this.fault = row?.name;
    this.answer = answer;
  }
}
