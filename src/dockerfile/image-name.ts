/** Whether a text can name an image, as the check of FROM needs it. The parser of image references is elsewhere. */

const maximumNameLength = 255;
const domain = /^(?:\[[a-fA-F0-9:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?$/;
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tag = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digest = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const imageId = /^[a-f0-9]{64}$/;

/** `name[:tag][@digest]`, with Docker's rule for what is a domain; 64 hex digits are an id, not a name. */
export function isImageName(text: string): boolean {
  if (imageId.test(text) || text.length > 2 * maximumNameLength) return false;
  const at = text.indexOf("@");
  if (at >= 0 && !digest.test(text.slice(at + 1))) return false;
  const tagged = at < 0 ? text : text.slice(0, at);
  const colon = tagged.lastIndexOf(":");
  const hasTag = colon > tagged.lastIndexOf("/");
  if (hasTag && !tag.test(tagged.slice(colon + 1))) return false;
  return isName(hasTag ? tagged.slice(0, colon) : tagged);
}

function isName(name: string): boolean {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  if (hasDomain && !domain.test(first)) return false;
  const path = hasDomain ? name.slice(slash + 1) : name;
  return name.length <= maximumNameLength && path.split("/").every((part) => component.test(part));
}
