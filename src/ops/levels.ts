// The log levels, with every name that configurations of the originals use for them.

/** From the most talkative to the quietest. */
export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type Level = (typeof levels)[number];

/** The syslog names of co_kimserver and kimserver (both "error" and "err", both "warn" and "warning") and where they end up here. */
const HISTORIC = new Map<string, Level>([
  ['notice', 'info'],
  ['warning', 'warn'],
  ['err', 'error'],
  ['alert', 'fatal'],
  ['crit', 'fatal'],
  ['emerg', 'fatal'],
]);

/** Every name that `parseLevel` takes, for messages and documents. */
export const levelNames: readonly string[] = [...levels, ...HISTORIC.keys()];

/** The level of a name in any case, or undefined for a name that means nothing. */
export function parseLevel(name: string): Level | undefined {
  const lower = name.trim().toLowerCase();
  return levels.find((level) => level === lower) ?? HISTORIC.get(lower);
}
