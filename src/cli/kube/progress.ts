// How far something is, for whoever waits: one line that changes on a terminal, a line now and then elsewhere. On stderr, beside the result.

const BETWEEN_MS = 5000;

export interface Progress {
  /** The newest line; shown at once on a terminal. */
  show(line: string): void;
  /** Clears what stands there. */
  end(): void;
}

interface Out {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** `now` is in milliseconds. */
export function progressOn(out: Out, now: () => number = () => performance.now()): Progress {
  if (out.isTTY === true) {
    return {
      show: (line) => void out.write(`\r\x1b[K${line.slice(0, (out.columns ?? 80) - 1)}`),
      end: () => void out.write('\r\x1b[K'),
    };
  }
  let last = '';
  let at = -Infinity;
  return {
    show(line) {
      if (line === last || now() - at < BETWEEN_MS) return;
      last = line;
      at = now();
      out.write(`${line}\n`);
    },
    end: () => undefined,
  };
}
