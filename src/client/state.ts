// Where a client stands, as onState tells it.
//
//   disconnected -> connecting -> connected -> disconnected -> reconnecting -> connecting -> ...      any of them -> closed

export type ClientState =
  | { readonly name: 'connecting' }
  | { readonly name: 'connected' }
  | { readonly name: 'disconnected'; readonly reason: string }
  /** Try number `attempt` (from 1) comes in `inMs` milliseconds. */
  | { readonly name: 'reconnecting'; readonly attempt: number; readonly inMs: number }
  /** By close(); nothing follows. */
  | { readonly name: 'closed' };
