// What a handler returned or threw becomes a reply. The one place that turns an error into one.

import { Fault } from '../errors.ts';
import { TokenBucket } from '../net/limits.ts';
import type { Logger } from '../ops/log.ts';
import type { Context } from '../route/context.ts';
import type { Route } from '../route/router.ts';
import type { Reply } from '../wire/codec.ts';

/** Lines about failing handlers, a second and at once: a client that makes one fail must not fill the disk. */
const ERROR_LINES = 20;
const ERROR_BURST = 100;

export class Replies {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #lines: TokenBucket;

  constructor(log: Logger, now: () => number) {
    this.#log = log;
    this.#now = now;
    this.#lines = new TokenBucket(ERROR_LINES, ERROR_BURST, now());
  }

  /** True if a line about what a client did may be logged now. */
  mayLog(): boolean {
    return this.#lines.take(this.#now());
  }

  of(route: Route, ctx: Context, result: unknown): Reply {
    try {
      if (route.encode !== undefined) return { code: 0, msg: 'ok', data: route.encode(result) };
      if (result === undefined) return { code: 0, msg: 'ok', data: '' };
      if (typeof result === 'string' || result instanceof Uint8Array) return { code: 0, msg: 'ok', data: result };
      return partsOf(result);
    } catch (error) {
      if (error instanceof Fault) this.#logError('reply can not be encoded', ctx, error);
      return this.ofError(error, ctx);
    }
  }

  /** The peer learns a fault's text; of anything else only the trace id under which the log has it. */
  ofError(error: unknown, ctx: Context): Reply {
    if (error instanceof Fault) return { code: error.code, msg: error.message, data: '' };
    this.#logError('handler failed', ctx, error);
    return { code: 1, msg: `internal error, trace ${ctx.traceId}`, data: '' };
  }

  #logError(message: string, ctx: Context, error: unknown): void {
    if (this.mayLog()) this.#log.error(message, { command: ctx.cmd, client: ctx.client.id, traceId: ctx.traceId, err: error });
  }
}

/** What a handler without a reply type may return as an object: parts of a reply. */
function partsOf(result: unknown): Reply {
  if (typeof result !== 'object' || result === null) {
    throw unfit('a handler returns nothing, text, bytes or { code, msg, data }; for anything else declare a reply type');
  }
  const { code = 0, msg = 'ok', data = '', cmd } = result as Partial<Reply>;
  const unknown = Object.keys(result).find((key) => !(key === 'code' || key === 'msg' || key === 'data' || key === 'cmd'));
  if (unknown !== undefined) throw unfit(`a reply has code, msg, data and cmd, not "${unknown}"; for JSON declare a reply type`);
  // the wire has 32 bits for each
  if (code !== (code | 0)) throw unfit(`code of a reply must be a whole number of 32 bits, got ${String(code)}`);
  if (cmd !== undefined && cmd !== cmd >>> 0) throw unfit(`cmd of a reply must be a command number, got ${String(cmd)}`);
  if (!isBytes(msg)) throw unfit(`msg of a reply must be text or bytes, got ${typeof msg}`);
  if (!isBytes(data)) throw unfit(`data of a reply must be text or bytes, got ${typeof data}`);
  return { code, msg, data, cmd };
}

const unfit = (text: string) => new Fault('encodeFailed', text);

function isBytes(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}
