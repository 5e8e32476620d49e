// Process titles as the original's: NAME for the manager, NAME_w_INDEX for workers.

/** The kernel shows as much of a title as the process had arguments; an argument that nobody reads makes room. */
export const titlePadding = '-'.repeat(64);
