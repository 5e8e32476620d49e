// Why something was not applied, though the API server would have taken it.

import type { FieldConflict } from './ownership.ts';

/** There is an object of this name that is not ours: it was not touched. */
export class ForeignObjectError extends Error {
  override readonly name = 'ForeignObjectError';
}

/** Somebody else changes it again and again: it is put right later. */
export class ContestedError extends Error {
  override readonly name = 'ContestedError';
}

/** Another manager holds fields that we may not take: nothing was written. */
export class FieldConflictError extends Error {
  override readonly name = 'FieldConflictError';
  readonly conflicts: readonly FieldConflict[];

  constructor(what: string, conflicts: readonly FieldConflict[]) {
    super(
      `${what}: ${conflicts.map(({ manager, field }) => `"${manager}" has set ${field}`).join(', ')}; let go of the field there, or leave it out here`,
    );
    this.conflicts = conflicts;
  }
}
