// Counts by name, added up.

/** The sum of each key that any of them has. */
export function sumRecords(records: readonly Readonly<Record<string, number | undefined>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const record of records) for (const [key, n] of Object.entries(record)) total[key] = (total[key] ?? 0) + (n ?? 0);
  return total;
}
