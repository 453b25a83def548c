/** What a 401 asks for. @see RFC 9110, 11.6.1; distribution-spec's token authentication */
export interface Challenge {
  /** in lower case: "bearer", "basic" */
  readonly scheme: string;
  /** names in lower case: realm, service, scope, error */
  readonly parameters: Readonly<Record<string, string>>;
}

const maxHeaderLength = 16 * 1024;
const part = /[\s,]*([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;

/** Reads one or several WWW-Authenticate headers, joined by commas. What cannot be read ends the list; nothing fails. */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  if (header === undefined || header.length > maxHeaderLength) return [];
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  part.lastIndex = 0;
  for (let match = part.exec(header); match !== null; match = part.exec(header)) {
    const [, name = "", quoted, bare] = match;
    const value = quoted?.replace(/\\(.)/g, "$1") ?? bare;
    const current = challenges.at(-1);
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: Object.create(null) as Record<string, string> });
    else if (current !== undefined) current.parameters[name.toLowerCase()] ??= value;
  }
  return challenges;
}
