/** What Go's net/url and net/http find wrong about an http address, in their words: WHATWG's URL reads some of these otherwise. */
import { goQuote } from "./go-text.ts";

/** undefined: it is one that can be asked. */
export function httpUrlFault(text: string): string | undefined {
  const [, , authority = "", rest = ""] = /^([a-z]+):\/\/([^/?#]*)([^]*)$/.exec(text) ?? [];
  const refused = (why: string): string => `parse ${goQuote(text)}: ${why}`;
  if (/[\u0000-\u001f\u007f]/.test(text)) return refused("net/url: invalid control character in URL");
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host.startsWith("[") && !host.includes("]")) return refused("missing ']' in host");
  const port = /:([^:\]]*)$/.exec(host)?.[1] ?? "";
  if (!/^\d*$/.test(port)) return refused(`invalid port ${goQuote(`:${port}`)} after host`);
  const path = rest.split(/[?#]/)[0] ?? "";
  const escape = badEscape(host) ?? badEscape(path);
  if (escape !== undefined) return refused(`invalid URL escape ${goQuote(escape)}`);
  const strange = /[ "<>\\^`{|}]/.exec(host)?.[0];
  if (strange !== undefined) return refused(`invalid character ${goQuote(strange)} in host name`);
  if (host === "") return `Get ${goQuote(path === "" ? text.replace("//", "") : text)}: http: no Host in request URL`;
  return Number(port) > 65_535 ? `Get ${goQuote(text)}: dial tcp: address ${port}: invalid port` : undefined;
}

function badEscape(text: string): string | undefined {
  return /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)?.[0];
}
