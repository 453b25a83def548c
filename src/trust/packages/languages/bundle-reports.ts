/** Packages in bundles, by what bundlers report of their work: esbuild's metafile, webpack's stats, Vite's manifest, rollup's visualizer. */
import { posix } from "node:path";
import { isObject, type Json, type JsonObject } from "../../../oci/bounded-json.ts";
import type { FileFacts, PackageReader } from "../package-reader.ts";
import { BundlePackages } from "./bundle-packages.ts";
import { entriesOf, mebibyte, objectsOf, readJson, stringOf } from "./json-file.ts";

const maxNested = 20;

/** What is in the outputs: an input that was shaken off is in none. */
function metafileSources(root: JsonObject): readonly string[] {
  const outputs = entriesOf(root["outputs"]).map(([, output]) => (isObject(output) ? output["inputs"] : undefined));
  return outputs.flatMap((inputs) => entriesOf(inputs).flatMap(([path, input]) => (isObject(input) && input["bytesInOutput"] === 0 ? [] : [path])));
}

/** Modules that were put together are listed within one; that they are orphans otherwise says that they are in no chunk by themselves. */
function webpackSources(root: JsonObject, depth = 0): readonly string[] {
  if (depth > maxNested) return [];
  const modules = objectsOf(root["modules"]).filter((one) => depth > 0 || one["orphan"] !== true);
  const names = modules.flatMap((one) => {
    const nested = webpackSources(one, depth + 1);
    return nested.length > 0 ? nested : [stringOf(one["nameForCondition"]) ?? stringOf(one["name"]) ?? ""];
  });
  const chunks = objectsOf(root["chunks"]).flatMap((chunk) => webpackSources(chunk, depth + 1));
  return [...names, ...chunks, ...objectsOf(root["children"]).flatMap((child) => webpackSources(child, depth + 1))];
}

function manifestSources(root: JsonObject): readonly string[] {
  return Object.entries(root).flatMap(([key, value]) => (isObject(value) && stringOf(value["file"]) !== undefined ? [stringOf(value["src"]) ?? key] : []));
}

function visualizerSources(metas: Json | undefined): readonly string[] {
  return entriesOf(metas).flatMap(([, meta]) => {
    const isInBundle = isObject(meta) && entriesOf(meta["moduleParts"]).length > 0;
    return isInBundle ? [(stringOf(meta["id"]) ?? "").replace(/^\0?\//, "./")] : [];
  });
}

function sourcesOf(root: JsonObject): readonly string[] {
  if (isObject(root["inputs"]) && isObject(root["outputs"])) return metafileSources(root);
  if (Array.isArray(root["modules"]) || Array.isArray(root["chunks"]) || Array.isArray(root["children"])) return webpackSources(root);
  if (isObject(root["nodeMetas"])) return visualizerSources(root["nodeMetas"]);
  return manifestSources(root);
}

function readReport(bytes: Buffer, path: string): FileFacts {
  if (!bytes.includes("node_modules")) return {};
  const found = new BundlePackages(posix.dirname(path));
  for (const source of sourcesOf(readJson(bytes, posix.basename(path)))) found.add(source);
  return found.packages.length === 0 ? {} : { packages: found.packages };
}

const reportName = /(?:^|[/._-])(?:meta|metafile|stats|manifest)\.json$/;

export const bundleReportReaders: readonly PackageReader[] = [
  {
    suffixes: [".json"],
    wants: (path) => reportName.test(path) && !/(?:^|\/)node_modules\//.test(path),
    maxBytes: 32 * mebibyte,
    read: readReport,
  },
];
