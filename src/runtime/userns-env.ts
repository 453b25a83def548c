/** How a command learns that it has entered the user's namespace already, and what it cannot find out there. */

/** Set in the environment of what runs inside the namespace: "ranges", or "single" where only one id is mapped. */
export const INSIDE_USERNS = "SLIPWAY_USERNS";

/** Likewise: the user's run directory, which the ids inside no longer tell. */
export const RUN_DIRECTORY = "SLIPWAY_RUN_DIRECTORY";
