/** How containers appear in lists. */
import type { ContainerSummary } from "../../engine/api.ts";
import { printable } from "../../base/printable.ts";
import { formatGoValue } from "../go-value.ts";
import { formatPorts } from "../port-list.ts";
import type { RowType } from "../render.ts";
import { ellipsis } from "../table.ts";
import { formatGoTime } from "../go-time.ts";
import { formatAgo, formatHumanDuration, formatSize } from "../units.ts";
import { shownId } from "./image-rows.ts";

const commandWidth = 20;
const mountWidth = 15;

/** "Up 3 minutes", "Exited (0) 2 hours ago", "Created". */
export function formatStatus(container: ContainerSummary, nowMs: number): string {
  const { state, startedAtMs = nowMs, finishedAtMs = nowMs, exitCode = 0, health } = container;
  switch (state) {
    case "running":
      return `Up ${formatHumanDuration(nowMs - startedAtMs)}${health === undefined ? "" : ` (${health === "starting" ? "health: starting" : health})`}`;
    case "paused":
      return `Up ${formatHumanDuration(nowMs - startedAtMs)} (Paused)`;
    case "restarting":
      return `Restarting (${exitCode}) ${formatAgo(finishedAtMs, nowMs)}`;
    case "exited":
      return `Exited (${exitCode}) ${formatAgo(finishedAtMs, nowMs)}`;
    case "created":
      return "Created";
    case "dead":
      return "Dead";
  }
}

/** Image ids are shortened where a container's image has lost its name. */
function imageOf(container: ContainerSummary, noTrunc: boolean): string {
  return container.image.startsWith("sha256:") ? shownId(container.image, noTrunc) : container.image;
}

function sizeOf(container: ContainerSummary): string {
  const { sizeBytes = 0, virtualSizeBytes = 0 } = container;
  return `${formatSize(sizeBytes, 3)}${virtualSizeBytes > 0 ? ` (virtual ${formatSize(virtualSizeBytes, 3)})` : ""}`;
}

function labelsOf(container: ContainerSummary): string {
  return Object.entries(container.labels)
    .map(([key, value]) => printable(`${key}=${value}`))
    .join(",");
}

export function containerRowType(nowMs: number, noTrunc: boolean): RowType<ContainerSummary> {
  const cut = (text: string, width: number): string => (noTrunc ? text : ellipsis(text, width));
  return {
    typeName: "*formatter.ContainerContext",
    errorPrefix: "failed to execute template: ",
    fields: {
      Command: (container) => JSON.stringify(cut(printable(container.command), commandWidth)),
      CreatedAt: (container) => formatGoTime(container.createdSeconds),
      ID: (container) => shownId(container.id, noTrunc),
      Image: (container) => imageOf(container, noTrunc),
      Labels: labelsOf,
      LocalVolumes: (container) => String(container.mounts.filter((mount) => !mount.startsWith("/")).length),
      Mounts: (container) => container.mounts.map((mount) => cut(printable(mount), mountWidth)).join(","),
      Names: (container) => container.name,
      Networks: (container) => container.networks.join(","),
      Ports: (container) => formatPorts(container.ports),
      RunningFor: (container) => formatAgo(container.createdSeconds * 1000, nowMs),
      Size: sizeOf,
      State: (container) => container.state,
      Status: (container) => formatStatus(container, nowMs),
    },
    methods: { Label: (container) => (name) => container.labels[formatGoValue(name)] ?? "" },
    headings: {
      ID: "CONTAINER ID",
      RunningFor: "CREATED",
      CreatedAt: "CREATED AT",
      LocalVolumes: "LOCAL VOLUMES",
    },
  };
}
