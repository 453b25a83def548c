/** Docker's layers carry capabilities and no other extended attribute. */
export function imageXattrs(xattrs: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  const capability = xattrs.get("security.capability");
  return capability === undefined ? none : new Map([["security.capability", capability]]);
}

const none: ReadonlyMap<string, Uint8Array> = new Map();
