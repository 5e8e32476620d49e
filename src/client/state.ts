// Where a client stands, as onState tells it.
//
//   disconnected -> connecting -> connected -> disconnected -> reconnecting -> connecting -> ...      any of them -> closed
//                                     any of them -> kicked -> connecting, by connect()
//
// A move from one gate to another does not show here while there is always a connection: see onMoved.

export type ClientState =
  | { readonly name: 'connecting' }
  | { readonly name: 'connected' }
  | { readonly name: 'disconnected'; readonly reason: string }
  /** Try number `attempt` (from 1) comes in `inMs` milliseconds. */
  | { readonly name: 'reconnecting'; readonly attempt: number; readonly inMs: number }
  /** The server ended the session; nothing is sent before connect() is called, unless reconnectAfterKick is set. */
  | { readonly name: 'kicked'; readonly reason: string; readonly code: number }
  /** By close(); nothing follows. */
  | { readonly name: 'closed' };
