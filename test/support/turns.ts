// Waiting inside one process, turn by turn of the event loop: no pause, no clock that a test could have stopped.

const DEADLINE_MS = 20_000;

/** Resolves in the first turn in which `fact` holds; rejects with `what` after 20 s. */
export async function soon(fact: () => boolean, what: string): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!fact()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await turn();
  }
}

/** One turn of the event loop: everything that is ready by now has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Several turns, for what is to be seen not to happen. */
export async function turns(n = 20): Promise<void> {
  for (let i = 0; i < n; i++) await turn();
}
