// Reads the record of a node as an original does: with protobuf's JSON reader, which refuses every key that it does not know.

export interface CppNode {
  path: string;
  type: string;
  host: string;
  port: number;
  worker_cnt: number;
  active_time: number;
}

const TEXTS = ['path', 'type', 'host'] as const;
const NUMBERS = ['port', 'worker_cnt', 'active_time'] as const;

/** The record, or undefined for what an original refuses: other keys, other types, or a record that is not whole. */
export function parseCppNodeJson(text: string): CppNode | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return undefined;
  const record = read as Record<string, unknown>;
  if (Object.keys(record).some((key) => ![...TEXTS, ...NUMBERS].some((known) => known === key))) return undefined;
  // numbers may be text
  const numbers = NUMBERS.map((key) => [key, typeof record[key] === 'string' ? Number(record[key]) : record[key]] as const);
  if (TEXTS.some((key) => typeof record[key] !== 'string' || record[key] === '')) return undefined;
  if (numbers.some(([, value]) => typeof value !== 'number' || !(value > 0))) return undefined;
  return { ...record, ...Object.fromEntries(numbers) } as unknown as CppNode;
}
