// The commands of the benchmark's own module, which runs in the measured worker beside the shipped ones.

/** Data and reply are JSON, judged by a schema. */
export const JSON_COMMAND = 1911;
/** Collects garbage; the reply is process.memoryUsage() as JSON. */
export const MEMORY_COMMAND = 1913;
/** Begins a CPU profile. */
export const PROFILE_COMMAND = 1915;
/** Ends it; the reply is the profile as JSON. */
export const PROFILED_COMMAND = 1917;
/** The client is the user that the data names. */
export const LOGIN_COMMAND = 1919;
/** The client joins the group that the data names. */
export const JOIN_COMMAND = 1921;
/** Data is JSON: pushes `bytes` bytes to `user`, `times` times; the reply comes when all are handed over. */
export const PUSH_COMMAND = 1923;
/** Data is JSON: pushes `bytes` bytes to `group`, `times` times, `batch` in one turn; the reply comes when all are handed over. */
export const SPREAD_COMMAND = 1925;
