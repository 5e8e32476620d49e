// Durations and sizes as people write them (30s, 8MiB) and as the program keeps them (milliseconds, bytes).

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { b: 1, ki: 1024, kib: 1024, mi: 1024 ** 2, mib: 1024 ** 2, gi: 1024 ** 3, gib: 1024 ** 3 } as const;

/** What `parseDuration` takes, for JSON schemas. */
export const DURATION = /^(\d+(\.\d+)?(ms|s|m|h))+$/;
/** What a KimCluster takes of what `parseBytes` takes. */
export const WRITTEN_SIZE = /^\d+(\.\d+)?(B|[KMG]iB?)$/;
/** What `parseBytes` takes, for JSON schemas. */
export const SIZE = /^\d+(\.\d+)? ?([Bb]|[KMG]i[Bb]?)$/;

/** Milliseconds of `500ms`, `30s`, `5m`, `1h` or `1m30s`; undefined for any other text, also for a number without a unit. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) ms += Number(amount) * MS[unit as keyof typeof MS];
  return Math.round(ms);
}

/** Bytes of `64KiB`, `8MiB`, `1Gi` or `100B`; undefined for any other text, also for a number without a unit. */
export function parseBytes(text: string): number | undefined {
  if (!SIZE.test(text)) return undefined;
  const [, amount, unit] = /^([\d.]+) ?(\w+)$/.exec(text) ?? [];
  return Math.round(Number(amount) * BYTES[String(unit).toLowerCase() as keyof typeof BYTES]);
}

/** `30s` for 30000: the largest unit that needs no fraction. `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  const unit = (['h', 'm', 's'] as const).find((name) => ms > 0 && ms % MS[name] === 0) ?? 'ms';
  return `${ms / MS[unit]}${unit}`;
}

/** `8MiB` for 8388608: the largest unit that needs no fraction. `parseBytes` reads it back. */
export function formatBytes(bytes: number): string {
  const unit = (
    [
      ['GiB', 1024 ** 3],
      ['MiB', 1024 ** 2],
      ['KiB', 1024],
    ] as const
  ).find(([, size]) => bytes > 0 && bytes % size === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / unit[1]}${unit[0]}`;
}
