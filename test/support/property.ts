// Property tests: the one import of fast-check. Seeded, so that a failure is the same failure everywhere; KIM_SEED explores others.

import fc from 'fast-check';

export { fc };

const SEED = Number(process.env['KIM_SEED'] ?? 20_210_218);

/** Runs `check` on `runs` made-up values. What fails is made smaller, and the message has the seed. */
export function forAll<T>(values: fc.Arbitrary<T>, check: (value: T) => void, runs = 300): void {
  fc.assert(
    fc.property(values, (value) => check(value)),
    { seed: SEED, numRuns: runs },
  );
}

/** The same for a check that takes several turns. */
export function forAllInTurns<T>(values: fc.Arbitrary<T>, check: (value: T) => Promise<void>, runs = 100): Promise<void> {
  return fc.assert(fc.asyncProperty(values, check), { seed: SEED, numRuns: runs });
}

/** Bytes of up to `max` length. */
export function bytes(max: number, min = 0): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));
}
