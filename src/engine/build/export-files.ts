/** `-o type=local|tar`: the final stage's files; of several platforms each in a directory of its own, `linux_arm64/`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { userMode } from "../../base/umask.ts";
import { SlipwayError } from "../../base/errors.ts";
import { formatPlatform, type Platform } from "../../oci/platform.ts";
import type { FileView } from "../../store/index.ts";
import type { BuildOutput } from "../api.ts";
import type { Exportable } from "./exportable.ts";
import { tarOfViews, walk, writeLocal, type PlacedView } from "./export-tree.ts";
import { runStepOf } from "./progress-steps.ts";
import { destinationRequired, writeStream } from "./write-stream.ts";

export async function exportFiles(input: Exportable, output: Extract<BuildOutput, { type: "tar" | "local" }>): Promise<void> {
  const { store, onProgress, options, signal, targets } = input;
  const label = output.type === "local" ? "exporting to client directory" : "exporting to client tarball";
  await runStepOf(onProgress, label, async (step) => {
    if (output.dest === "") throw destinationRequired(output.type);
    const views: (PlacedView & { readonly platform: Platform })[] = [];
    for (const [at, { platform, chain }] of input.images.entries()) {
      const directory = (output.platformSplit ?? targets.several) ? formatPlatform(platform).replaceAll("/", "_") : "";
      const view = await store.materializer.readableView(chain, signal);
      const statements =
        input.requests === undefined ? [] : await (await import("./export-statements.ts")).statementFiles(input, at, view, output.attestationPrefix ?? "");
      views.push({
        directory,
        platform,
        view,
        statements: statements.map(({ name, bytes }) => ({ name: withPlatformName(name, platform, directory, targets.several), bytes })),
      });
    }
    if (views.length > 1 && output.platformSplit === false) refuseOverlap(views);
    if (output.type === "tar") {
      await writeStream(tarOfViews(views), output.dest, options);
      step.status("sending tarball", 0, undefined, true);
      return;
    }
    for (const { directory, platform, view, statements } of views) {
      const bytes = await writeLocal(view, join(output.dest, directory), store.ownership.owners.mode === "keep", signal);
      for (const { name, bytes: text } of statements ?? []) writeFileSync(join(output.dest, directory, name), text, { mode: userMode("file") });
      step.status(targets.several ? `copying files ${formatPlatform(platform)}` : "copying files", bytes, undefined, true);
    }
  });
}

/** In one directory for all platforms the names tell them apart. */
function withPlatformName(name: string, platform: Platform, directory: string, several: boolean): string {
  return directory === "" && several ? name.replace(/\.json$/, `.${formatPlatform(platform).replaceAll("/", "_")}.json`) : name;
}

/** Without a directory for each, platforms may have directories in common and nothing else. Nothing is written before that is known. */
function refuseOverlap(views: readonly { readonly view: FileView; readonly platform: Platform }[]): void {
  const owners = new Map<string, Platform>();
  for (const { view, platform } of views) {
    for (const [path, node] of walk(view)) {
      if (node.type === "directory") continue;
      const owner = owners.get(path);
      if (owner === undefined) {
        owners.set(path, platform);
        continue;
      }
      throw new SlipwayError(
        "conflict",
        "PLATFORMS_OVERLAP",
        `cannot overwrite ${path} from ${formatPlatform(owner)} with ${formatPlatform(platform)} when split option is disabled`,
        { path, remedy: "leave platform-split=false out" },
      );
    }
  }
}
