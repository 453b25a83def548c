/** AWS keys by the sign-in of `aws sso login`, which keeps its token in ~/.aws/sso/cache. @see AWS SDKs and Tools Reference, "IAM Identity Center credential provider" */
import { createHash } from "node:crypto";
import { keysOf, type AwsKeys } from "./aws-signature.ts";
import { call, objectIn, parseObject, stringIn, type SignInWorld, type Tell } from "./ports.ts";

type Profile = ReadonlyMap<string, string>;

export function hasSso(profile: Profile): boolean {
  return profile.has("sso_account_id") && (profile.has("sso_session") || profile.has("sso_start_url"));
}

export async function ssoKeys(
  world: SignInWorld,
  tell: Tell,
  name: string,
  profile: Profile,
  profiles: ReadonlyMap<string, Profile>,
): Promise<AwsKeys | undefined> {
  const source = `AWS profile ${name}`;
  const session = profile.get("sso_session");
  const settings = session === undefined ? profile : (profiles.get(`sso-session ${session}`) ?? new Map<string, string>());
  const key = session ?? profile.get("sso_start_url") ?? "";
  const path = `${world.home}/.aws/sso/cache/${createHash("sha1").update(key).digest("hex")}.json`;
  const again = `run aws sso login --profile ${name}`;
  const text = world.files.readText(path);
  if (text === undefined) return tell(source, `nobody signed in: ${again}`);
  const kept = parseObject(text);
  const token = stringIn(kept, "accessToken");
  if (token === "" || !(Date.parse(stringIn(kept, "expiresAt")) > world.now())) return tell(source, `the sign-in is over: ${again}`);
  const region = settings.get("sso_region") || stringIn(kept, "region");
  const base = world.env["AWS_ENDPOINT_URL_SSO"] || world.env["AWS_ENDPOINT_URL"] || `https://portal.sso.${region}.amazonaws.com`;
  const url = new URL("/federation/credentials", base);
  url.searchParams.set("role_name", profile.get("sso_role_name") ?? "");
  url.searchParams.set("account_id", profile.get("sso_account_id") ?? "");
  const answer = await call(world, tell, source, url.href, { headers: { "x-amz-sso_bearer_token": token } });
  const keys = answer && objectIn(parseObject(answer.text), "roleCredentials");
  return keys && keysOf(stringIn(keys, "accessKeyId"), stringIn(keys, "secretAccessKey"), stringIn(keys, "sessionToken"));
}
