// The commands of the benchmark's own module, which runs in the measured worker beside the shipped ones.

/** Data and reply are JSON, judged by a schema. */
export const JSON_COMMAND = 1911;
/** Collects garbage; the reply is process.memoryUsage() as JSON. */
export const MEMORY_COMMAND = 1913;
/** Begins a CPU profile. */
export const PROFILE_COMMAND = 1915;
/** Ends it; the reply is the profile as JSON. */
export const PROFILED_COMMAND = 1917;
