/** Policies and advisories may have changed since a container was made: its image is judged when it is started. Both fail with POLICY_REFUSED (denied). */
import type { Digest } from "../../oci/digest.ts";
import type { ContainerHost } from "../../runtime/container.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import { containerState } from "../../runtime/container-state.ts";
import type { PolicyGate } from "../policy-gate.ts";

/** What runs goes on. */
export async function admitStart(gate: PolicyGate | undefined, host: ContainerHost, record: ContainerRecord): Promise<void> {
  const { status } = containerState(host, record);
  if (status !== "running" && status !== "paused") await judgeStart(gate, record);
}

export async function judgeStart(gate: PolicyGate | undefined, { imageId, imageName }: ContainerRecord): Promise<void> {
  const id = imageId as Digest;
  await gate?.here("start", imageName, imageId === "" ? undefined : { id, used: id }, undefined);
}
