/** `CONTAINER:/path` on the command line of `cp`, told from paths of this machine as Docker does it. Pure. */

export interface ContainerPath {
  readonly container: string;
  readonly path: string;
}

/** Undefined for a path of this machine: one that is absolute, or has no colon, or begins with a dot. */
export function containerPath(word: string): ContainerPath | undefined {
  if (word.startsWith("/") || word.startsWith(".")) return undefined;
  const colon = word.indexOf(":");
  return colon <= 0 ? undefined : { container: word.slice(0, colon), path: word.slice(colon + 1) };
}
