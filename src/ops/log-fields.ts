// What may stand in a log line: secrets are masked, errors become readable, and whatever a peer sent is cut to a sane size.

export type Fields = Readonly<Record<string, unknown>>;

const SECRET = /(password|passwd|token|secret|auth|authorization)$/i;
/** Keys that every line has already; two equal keys in one line of JSON confuse what reads it. */
const TAKEN = new Set(['level', 'time', 'name', 'pid', 'msg']);
const MAX_DEPTH = 5;
/** Values of one line altogether: somebody may log a socket, which leads to half of the process. */
const MAX_VALUES = 1000;
const MAX_ITEMS = 100;
const MAX_TEXT = 8192;
const MAX_BYTES = 64;

/** A copy of `fields` that is safe to write. A key that every line has already gets a "_" behind it; "[masked]" stands for secrets. */
export function loggable(fields: Fields): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  const budget = { left: MAX_VALUES };
  for (const [key, value] of Object.entries(fields).slice(0, MAX_ITEMS)) {
    const name = TAKEN.has(key) ? `${key}_` : key;
    try {
      safe[name] = isSecret(key, value) ? '[masked]' : plain(value, 1, budget);
    } catch {
      // a getter that throws must not turn a log line into a failure
      safe[name] = '[unreadable]';
    }
  }
  return safe;
}

/** An empty value and a yes or no give nothing away, and say whether something was configured. */
function isSecret(key: string, value: unknown): boolean {
  return SECRET.test(key) && value !== undefined && value !== null && value !== '' && typeof value !== 'boolean';
}

function plain(value: unknown, depth: number, budget: { left: number }): unknown {
  if (--budget.left < 0) return '[more]';
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}... (${value.length} characters)` : value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return hex(value);
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return errorFields(value, depth, budget);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item: unknown) => plain(item, depth + 1, budget));
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, MAX_ITEMS).map(([key, item]: [unknown, unknown]) => {
      const name = String(key);
      return [name, isSecret(name, item) ? '[masked]' : plain(item, depth + 1, budget)];
    }),
  );
}

function errorFields(error: Error, depth: number, budget: { left: number }): Record<string, unknown> {
  const own = Object.fromEntries(Object.entries(error).filter(([key]) => key !== 'cause' && key !== 'stack' && key !== 'message'));
  return {
    type: error.name,
    message: plain(error.message, depth, budget),
    ...(plain(own, depth, budget) as object),
    stack: plain(error.stack, depth, budget),
    ...(error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1, budget) }),
  };
}

function hex(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_BYTES)).toString('hex');
  return bytes.length > MAX_BYTES ? `${text}... (${bytes.length} bytes)` : text;
}
