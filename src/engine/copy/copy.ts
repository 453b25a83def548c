/** `copy SRC DST`. */
import type { Descriptor } from "../../oci/manifest.ts";
import { formatReference, parseReference, withDefaultTag, withDigest } from "../../oci/reference.ts";
import { hostPlatform, parsePlatform, type Platform } from "../../oci/platform.ts";
import type { CopyEvent, CopyOptions } from "../transfer-api.ts";
import type { ImageSource } from "../transports/image-source.ts";
import { parseLocation, type Location } from "../transports/location.ts";
import { openSource, settleName, type Surroundings } from "../transports/open-source.ts";
import { openTarget } from "../transports/open-target.ts";
import { copyImage } from "./copy-image.ts";
import { copyReferrers, unsupported } from "./copy-referrers.ts";
import { surroundingsOf } from "./place-access.ts";

/** Docker's archives and its daemon hold images, not indexes: of one they get this machine's. */
function platformFor(target: Location, { platform, all = false }: CopyOptions): Platform | undefined {
  if (platform !== undefined && platform !== "") return parsePlatform(platform);
  const single = target.kind === "daemon" || (target.kind === "archive" && target.format === "docker");
  return single && !all ? hostPlatform() : undefined;
}

/** What comes from a registry is what policies have judged, and goes only where they allow it. */
async function admitted(
  { gate, cwd, env, signal }: Surroundings,
  source: ImageSource,
  [origin, destination]: readonly [Location, Location],
): Promise<ImageSource> {
  const root = source.reference === undefined ? undefined : await gate?.pulled("pull", source.reference, { signal });
  const target = destination.kind === "registry" ? destination.reference : destination.kind === "name" ? parseReference(destination.text) : undefined;
  if (target !== undefined) {
    const place =
      root === undefined || source.reference === undefined ? origin.text : `docker://${formatReference(withDigest(source.reference, root.descriptor.digest))}`;
    await gate?.pushed([withDefaultTag(target)], { places: [place], cwd, env }, signal);
  }
  return root === undefined ? source : { ...source, root: async () => root };
}

/** Fails with INVALID_LOCATION before anything is asked, and as sources and targets do. */
export async function copy(common: Surroundings, from: string, to: string, options: CopyOptions, emit: (event: CopyEvent) => void): Promise<Descriptor> {
  const [origin, destination] = [settleName(common, parseLocation(from)), parseLocation(to)];
  await using near = surroundingsOf(common, origin, options.source);
  await using far = surroundingsOf(common, destination, options.target);
  const { surroundings } = near;
  await using opened = await openSource(surroundings, origin, ["registry", "name", "ssh"].includes(destination.kind));
  const source = await admitted(surroundings, opened, [origin, destination]);
  // asked first: an image that is not there leaves no file behind
  await source.root(surroundings.signal);
  await using target = await openTarget(far.surroundings, destination);
  const { signal } = surroundings;
  const request = { source, target, emit, ...(signal === undefined ? {} : { signal }) };
  if (options.referrers === true && target.putReferrer === undefined) throw unsupported(to);
  if (options.referrers === true && source.reference === undefined) throw unsupported(from);
  const { attestations = "index" } = options;
  if (attestations === "referrers" && target.putReferrer === undefined) throw unsupported(to, "attestations can be referrers in a registry only");
  const { root, digests } = await copyImage({ ...request, platform: platformFor(destination, options), attestations });
  if (options.referrers === true && source.reference !== undefined) {
    await copyReferrers({ ...request, client: await surroundings.client(), targetClient: await far.surroundings.client(), from: source.reference }, digests);
  }
  return root;
}
