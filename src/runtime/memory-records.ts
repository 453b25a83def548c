/** Container records that last as long as the program: for tests, and for libraries that want no store. */
import { SlipwayError } from "../base/errors.ts";
import { nameTaken, noSuchContainer } from "./container-errors.ts";
import type { ContainerRecord, ContainerRecords } from "./container-records.ts";

export function createMemoryRecords(): ContainerRecords {
  const byId = new Map<string, ContainerRecord>();
  const refuseTakenName = (record: ContainerRecord): void => {
    const other = [...byId.values()].find(({ id, name }) => name === record.name && id !== record.id);
    if (other !== undefined) throw nameTaken(record.name, other.id);
  };
  return {
    insert: (record) => {
      if (byId.has(record.id)) throw new SlipwayError("conflict", "ID_TAKEN", `container id ${record.id} exists already`);
      refuseTakenName(record);
      byId.set(record.id, record);
    },
    update: (record) => {
      if (!byId.has(record.id)) throw noSuchContainer(record.id);
      refuseTakenName(record);
      byId.set(record.id, record);
    },
    get: (nameOrId) => byId.get(nameOrId) ?? byName(byId, nameOrId) ?? byPrefix(byId, nameOrId),
    list: () => [...byId.values()].reverse(),
    remove: (id) => byId.delete(id),
  };
}

function byName(byId: ReadonlyMap<string, ContainerRecord>, text: string): ContainerRecord | undefined {
  const wanted = text.replace(/^\//, "");
  return [...byId.values()].find(({ name }) => name === wanted);
}

function byPrefix(byId: ReadonlyMap<string, ContainerRecord>, prefix: string): ContainerRecord | undefined {
  const matches = prefix === "" ? [] : [...byId.values()].filter(({ id }) => id.startsWith(prefix));
  if (matches.length > 1) throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", `multiple IDs found with provided prefix: ${prefix}`);
  return matches[0];
}
