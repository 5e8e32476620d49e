// The one place where a test waits for something that tells nobody: a count in another process, a pid that goes away.

const POLL_MS = 10;
const MAX_MS = 20_000;

/** Resolves with the first value of `look` that is not false, undefined or an error; after maxMs (20 s) throws what was waited for. */
export async function until<T>(look: () => T | Promise<T>, what: string, maxMs = MAX_MS): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + maxMs;
  let seen: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      seen = value;
    } catch (error) {
      seen = error;
    }
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}; the last look gave ${String(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
