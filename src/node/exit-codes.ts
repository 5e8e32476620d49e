// With which code each process of a node ends, and what that says. The negative ones of the original, as a shell shows them.

export const exitCodes = {
  /** It was told to end and lost nothing. */
  ok: 0,
  /** An error that nobody foresaw; the log has it. A worker is started again. */
  crashed: 1,
  /** Wrong flags, or a configuration that can not be used. */
  usage: 2,
  /** The node could not start, or had to give up (the original's -1). */
  failed: 255,
  /** A worker whose manager is gone (-2). */
  managerGone: 254,
  /** A worker could not start: a module was refused or failed (-3). */
  childInitFailed: 253,
} as const;
