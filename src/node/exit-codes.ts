// With which code each process of a node ends, and what that says. The negative ones of the original, as a shell shows them.

/** A shell shows -1 as 255, and so on. */
export const exitCodes = {
  ok: 0,
  crashed: 1,
  usage: 2,
  failed: 255,
  managerGone: 254,
  childInitFailed: 253,
} as const;

/** What each says; docs/faults.md is made from this. */
export const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'it was told to end and lost nothing',
  crashed: 'an error that nobody foresaw; the log has it. A worker is started again',
  usage: 'wrong flags, or a configuration that can not be used; what was printed names it',
  failed: "the node could not start, or had to give up (the original's -1)",
  managerGone: 'a worker whose manager is gone, or a node whose "kim up" is (-2)',
  childInitFailed: 'a worker could not start: a module was refused or failed (-3)',
};
