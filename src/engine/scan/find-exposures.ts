/** Secrets in the layers and the config of an image, also those that a later layer removes; and how it is set up. */
import { secretIn } from "../../dockerfile/secret-value.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { ruleOf, type Exposure } from "../../trust/findings/exposure.ts";
import type { SeenFile, Wanted } from "../../trust/packages/index.ts";
import type { OpenedImage } from "../inventory/open-image.ts";
import type { LayerVisitor } from "../inventory/read-layer.ts";

const maxFileBytes = 2 ** 20;
/** of one file: who prints a list of tokens needs no more to see it */
const maxInFile = 5;
const maxWorldWritable = 20;

/** Documentation and tests of packages are full of keys that open nothing. */
const examples =
  /^usr\/(?:share\/(?:doc|man|info|perl|perl5)|lib\/(?:x86_64-linux-gnu|aarch64-linux-gnu)\/perl[^/]*)\/|\/(?:tests?|testdata|fixtures|examples?|__tests__|docs?|man)\/|_test\.go$|\.(?:test|spec)\.[cm]?[jt]sx?$/;

/** In a program's text an address with a password is an example of one, or made of variables. */
const programText = /\.(?:[cm]?[jt]sx?|go|py|rb|php|pl|pm|java|kt|rs|c|h|cc|cpp|hpp|cs|md|rst|html?|map|css|d\.ts)$/i;

/** A key with its content, as it is in a file or in a string: its first line alone is what programs look for. */
const wholeKey = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\r?\n|\\r?\\n|\\n)\s*(?:[A-Za-z0-9+/=]{40,}|Proc-Type:|Comment:)/;

export interface ExposureOptions {
  readonly secrets: boolean;
  readonly misconfiguration: boolean;
}

class ExposureVisitor implements LayerVisitor {
  readonly found: Exposure[] = [];
  /** of this layer, with what is at and below them */
  readonly removedPaths: string[] = [];
  readonly seenPaths = new Set<string>();
  readonly #layer: number;
  readonly #options: ExposureOptions;

  constructor(layer: number, options: ExposureOptions) {
    this.#layer = layer;
    this.#options = options;
  }

  removed(path: string): void {
    this.removedPaths.push(path);
  }

  opaque(path: string): void {
    this.removedPaths.push(path === "" ? "" : `${path}/`);
  }

  seen(path: string, { type, mode, size }: SeenFile): Wanted {
    if (type !== "directory") this.seenPaths.add(path);
    // of directories the sticky bit is what makes /tmp harmless
    const isOpen = (mode & 0o002) !== 0 && (type === "file" || (type === "directory" && (mode & 0o1000) === 0));
    if (isOpen && this.#options.misconfiguration) {
      this.found.push({
        kind: "misconfiguration",
        rule: "world-writable",
        severity: "medium",
        title: `every user may write this ${type}`,
        where: `/${path}`,
        layer: this.#layer,
      });
    }
    return this.#options.secrets && type === "file" && size >= 16 && size <= maxFileBytes && !examples.test(path) ? "content" : "nothing";
  }

  isWantedProgram(): boolean {
    return false;
  }

  program(): void {
    // none is wanted
  }

  content(path: string, bytes: Buffer): void {
    if (bytes.subarray(0, 1024).includes(0)) return;
    const text = bytes.toString("latin1");
    if (secretIn(text) === undefined) return;
    let inFile = 0;
    const rows = text.split("\n");
    for (const [at, row] of rows.entries()) {
      const what = inFile < maxInFile ? secretIn(row) : undefined;
      if (what === undefined) continue;
      if (what === "a private key" && !wholeKey.test(`${row}\n${rows[at + 1] ?? ""}`)) continue;
      if (what === "a password" && programText.test(path)) continue;
      inFile++;
      this.found.push({ kind: "secret", rule: ruleOf(what), severity: "high", title: what, where: `/${path}`, line: at + 1, layer: this.#layer });
    }
  }
}

/** A later layer has a file in its place, or takes it or a directory above it away. */
function hides(above: ExposureVisitor, path: string): boolean {
  const isBelow = (directory: string): boolean =>
    directory === "" || path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
  return above.seenPaths.has(path) || above.removedPaths.some(isBelow);
}

export async function findExposures(image: OpenedImage, options: ExposureOptions): Promise<readonly Exposure[]> {
  const visitors: ExposureVisitor[] = [];
  for (let layer = 0; layer < image.diffIds.length; layer++) {
    const visitor = new ExposureVisitor(layer, options);
    await image.visit(layer, visitor);
    visitors.push(visitor);
  }
  const inLayers = visitors.flatMap((visitor, layer) =>
    visitor.found.map((exposure): Exposure => {
      const isHidden = visitors.slice(layer + 1).some((above) => hides(above, exposure.where.slice(1)));
      return isHidden ? { ...exposure, isHidden } : exposure;
    }),
  );
  const open = inLayers.filter(({ rule, isHidden }) => rule === "world-writable" && isHidden !== true);
  return [
    ...(options.secrets ? secretsOfConfig(image.config) : []),
    ...inLayers.filter(({ rule }) => rule !== "world-writable"),
    ...(options.misconfiguration ? misconfigurationOf(image.config) : []),
    ...open.slice(0, maxWorldWritable),
  ];
}

/** Words that images carry for everybody to see: variables, labels, commands, and the history of how they were made. */
function secretsOfConfig({ config, history }: ImageConfig): readonly Exposure[] {
  const places: readonly (readonly [where: string, text: string])[] = [
    ...(config.Env ?? []).map((entry) => [`Env ${entry.split("=")[0]}`, entry] as const),
    ...Object.entries(config.Labels ?? {}).map(([name, value]) => [`Label ${name}`, value] as const),
    ...[...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].map((word) => ["Command", word] as const),
    ...(history ?? []).map((entry, at) => [`History line ${at + 1}`, entry.created_by ?? ""] as const),
  ];
  return places.flatMap(([where, text]): readonly Exposure[] => {
    const what = secretIn(text);
    return what === undefined ? [] : [{ kind: "secret", rule: ruleOf(what), severity: "high", title: what, where }];
  });
}

function misconfigurationOf({ config }: ImageConfig): readonly Exposure[] {
  const user = (config.User ?? "").split(":")[0] ?? "";
  const isRoot = user === "" || user === "root" || user === "0";
  return isRoot
    ? [{ kind: "misconfiguration", rule: "root-user", severity: "medium", title: "containers run as root: no USER names another", where: "User" }]
    : [];
}
