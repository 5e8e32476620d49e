// What modules are told about messages for clients, and about logins and groups.

/**
 * What became of a message for a user: `delivered`, it was handed to the connection of the user; `absent`, the user was known but has just
 * gone; `unknown`, no worker has the user, or the one that should have it did not answer.
 */
export type PushResult = 'delivered' | 'absent' | 'unknown';

/** How many users of a list had each result; `slow` ones have so much unread that they were left out. */
export interface PushCounts {
  readonly delivered: number;
  readonly absent: number;
  readonly unknown: number;
  readonly slow: number;
}

/** What became of a message for a group or for everybody. */
export interface SpreadResult {
  /** Clients that it was sent to. */
  readonly delivered: number;
  /** Clients that were left out since they have too much unread. */
  readonly slow: number;
  /** Workers that did not answer, whose clients may have it or not. */
  readonly failed: number;
}

/**
 * What became of a login: `bound`, the client is that user; `replaced`, it is, and another session of that user was ended; `refused`, another
 * session has the user, or a later one came; `absent`, the client is gone; `unknown`, its gate did not answer.
 */
export type BindResult = 'bound' | 'replaced' | 'refused' | 'absent' | 'unknown';

/** `refused` means that a limit of groups is reached. */
export type GroupResult = 'done' | 'refused' | 'absent' | 'unknown';
