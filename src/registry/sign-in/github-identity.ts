/** The identity of a GitHub Actions job, for clouds that take it. @see GitHub docs, "About security hardening with OpenID Connect" */
import { call, parseObject, stringIn, type SignInWorld, type Tell } from "./ports.ts";

/** A token for the audience; undefined outside of a job that may ask for one (`permissions: id-token: write`). */
export async function githubIdentity(world: SignInWorld, tell: Tell, audience: string): Promise<string | undefined> {
  const [address, bearer] = [world.env["ACTIONS_ID_TOKEN_REQUEST_URL"], world.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]];
  if (!address || !bearer) return undefined;
  const source = "GitHub Actions identity";
  const url = URL.parse(address);
  if (url === null) return tell(source, "ACTIONS_ID_TOKEN_REQUEST_URL is no address");
  url.searchParams.set("audience", audience);
  const answer = await call(world, tell, source, url.href, { headers: { authorization: `Bearer ${bearer}`, accept: "application/json" } });
  return answer && (stringIn(parseObject(answer.text), "value") || undefined);
}
