/** Gives a container another name. */
import { SlipwayError } from "../base/errors.ts";
import { requireContainer } from "./container-errors.ts";
import { tellContainer } from "./container-events.ts";
import type { ContainerHost } from "./container-host.ts";
import { checkContainerName } from "./container-names.ts";

/** CONTAINER_NOT_FOUND, NAME_TAKEN (conflict), INVALID_CONTAINER_NAME, SAME_NAME (invalid_argument), in Docker's words. */
export function renameContainer(host: ContainerHost, nameOrId: string, text: string): void {
  const record = requireContainer(host.records, nameOrId);
  if (text === "") throw new SlipwayError("invalid_argument", "INVALID_CONTAINER_NAME", "Neither old nor new names may be empty");
  try {
    const name = checkContainerName(`/${text.replace(/^\//, "")}`);
    if (name === record.name) throw new SlipwayError("invalid_argument", "SAME_NAME", "Renaming a container with the same name as its current name", { name });
    const renamed = { ...record, name };
    host.records.update(renamed);
    tellContainer(host, renamed, "rename", { oldName: `/${record.name}` });
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code === "SAME_NAME") throw error;
    throw new SlipwayError(error.kind, error.code, `Error when allocating new name: ${error.message}`, error.details, error);
  }
}
