// Which commands a node relays, to whom, and how: a route as the configuration holds it.

/** The largest command that a frame can carry. */
export const LAST_COMMAND = 0xffffffff;

/** What the ring is asked with: what goes to one worker for as long as the members stay. */
export type RouteKey =
  | { readonly from: 'session' }
  /** The user id of a client that has one, else its session. */
  | { readonly from: 'user' }
  /** The data of the request, as module_gate of the original has it. */
  | { readonly from: 'data' }
  /** A field of the data: of a JSON object, or of a message type of the user's .proto file. */
  | { readonly from: 'field'; readonly field: string; readonly proto?: { readonly file: string; readonly type: string } | undefined };

export interface RouteConfig {
  /** Inclusive; `last` is LAST_COMMAND for "and all above". */
  readonly first: number;
  readonly last: number;
  /** Node type. */
  readonly to: string;
  readonly key: RouteKey;
  /** How long the answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether a request may be sent a second time: never, only when it certainly was not sent, or whenever there was no answer. */
  readonly retry: 'never' | 'ifNotSent' | 'idempotent';
  /** Requests per second that this route takes from each worker of the gate; 0 for any number. */
  readonly rate: number;
}
