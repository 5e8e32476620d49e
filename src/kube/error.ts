// What goes wrong between us and an API server, as one kind of error.

/** One reason of a refusal: the field it is about, and for conflicts who else set it. */
export interface KubeCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** What the API server answers instead of an object. */
export interface KubeStatus {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly KubeCause[] };
}

/** Reasons of our own, where no answer came: status is 0. */
export type OwnReason =
  | 'Unreachable' // no connection, or it broke
  | 'Timeout' // no whole answer within the deadline
  | 'Aborted' // we gave up because we stop
  | 'Silent' // a watch without a sign of life
  | 'Cut' // a watch that broke off in the middle
  | 'TooLarge' // more bytes than we take
  | 'Stale' // a kept connection had been closed before the request was taken
  | 'BadAnswer'; // not what an API server says

interface KubeErrorDetails {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
  readonly causes?: readonly KubeCause[];
  readonly cause?: unknown;
}

/** However long a server asks to wait: it may have been a mistake, and who waits knows nothing. */
const MAX_RETRY_AFTER_MS = 120_000;

export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** Of HTTP; 0 where no answer came. */
  readonly status: number;
  /** NotFound, Conflict, Expired ... as the server says it, or one of OwnReason. */
  readonly reason: string;
  /** What the server asks to wait, in milliseconds; two minutes at most. */
  readonly retryAfterMs: number | undefined;
  readonly causes: readonly KubeCause[];

  constructor(message: string, { status, reason, retryAfterMs, causes = [], cause }: KubeErrorDetails) {
    super(message, { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.causes = causes;
  }

  static own(reason: OwnReason, message: string, cause?: unknown): KubeError {
    return new KubeError(message, { status: 0, reason, cause });
  }

  /** From what the server said; `doing` is what was being done: "cannot get /api/v1/pods". */
  static answered(doing: string, code: number, status: KubeStatus, retryAfter?: string): KubeError {
    const seconds = Number(retryAfter ?? status.details?.retryAfterSeconds);
    return new KubeError(`${doing}: ${status.message ?? `the API server answered ${code}`}`, {
      status: code,
      reason: status.reason ?? 'Unknown',
      retryAfterMs: seconds >= 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined,
      causes: status.details?.causes ?? [],
    });
  }
}

/** Whether an error says that there is no such object (or kind). */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404;
}

/** Whether an error says that the object is not what we thought: somebody changed or made it meanwhile. */
export function isConflict(error: unknown): error is KubeError {
  return error instanceof KubeError && error.status === 409;
}

/** Whether an error says that the API server is away or busy: the same request may be taken a little later. */
export function isAway(error: unknown): error is KubeError {
  return error instanceof KubeError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** Whether an error says that a position of a watch or a page of a list is too old to go on from. */
export function isGone(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}
