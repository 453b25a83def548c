/** AWS keys from the sources that its own tools ask, in their order. @see AWS SDKs and Tools Reference, "Standardized credential providers" */
import { processKeys } from "./aws-process.ts";
import { keysOf, signRequest, type AwsKeys } from "./aws-signature.ts";
import { hasSso, ssoKeys } from "./aws-sso.ts";
import { githubIdentity } from "./github-identity.ts";
import { call, parseObject, stringIn, type SignInWorld, type Tell } from "./ports.ts";

type Profile = ReadonlyMap<string, string>;

/** `[default]`, `[profile x]` and `key = value`; sections of other kinds are passed over. */
export function parseProfiles(text: string): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split("\n")) {
    const section = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line);
    if (section !== null) {
      const name = section[1] ?? "";
      current = profiles.get(name) ?? new Map();
      profiles.set(name, current);
      continue;
    }
    const pair = /^([A-Za-z0-9_.-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (pair !== null && !/^\s*[#;]/.test(line)) current?.set((pair[1] ?? "").toLowerCase(), pair[2] ?? "");
  }
  return profiles;
}

function readProfiles({ env, home, files }: SignInWorld): ReadonlyMap<string, Profile> {
  const paths = [env["AWS_CONFIG_FILE"] || `${home}/.aws/config`, env["AWS_SHARED_CREDENTIALS_FILE"] || `${home}/.aws/credentials`];
  const merged = new Map<string, Profile>();
  for (const path of paths) {
    for (const [name, profile] of parseProfiles(files.readText(path) ?? "")) merged.set(name, new Map([...(merged.get(name) ?? []), ...profile]));
  }
  return merged;
}

/** The answer of a metadata server or of STS's JSON. */
function keysFromJson(text: string): AwsKeys | undefined {
  const object = parseObject(text);
  return keysOf(stringIn(object, "AccessKeyId"), stringIn(object, "SecretAccessKey"), stringIn(object, "Token"));
}

function keysFromXml(text: string): AwsKeys | undefined {
  const element = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "";
  return keysOf(element("AccessKeyId"), element("SecretAccessKey"), element("SessionToken"));
}

function stsUrl({ env }: SignInWorld, region: string, query: Readonly<Record<string, string>>): URL {
  const base = env["AWS_ENDPOINT_URL_STS"] || env["AWS_ENDPOINT_URL"] || `https://sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const url = new URL("/", base);
  for (const [name, value] of Object.entries({ Version: "2011-06-15", ...query })) url.searchParams.set(name, value);
  return url;
}

async function webIdentity(world: SignInWorld, region: string, tell: Tell, role: string | undefined, file: string | undefined): Promise<AwsKeys | undefined> {
  const source = "AWS web identity";
  if (!role) return tell(source, "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set");
  const token = file ? world.files.readText(file)?.trim() : await githubIdentity(world, tell, "sts.amazonaws.com");
  if (token === undefined)
    return tell(source, file ? `${file} cannot be read` : "AWS_WEB_IDENTITY_TOKEN_FILE is not set, and there is no GitHub Actions identity");
  const session = world.env["AWS_ROLE_SESSION_NAME"] || "slipway";
  const url = stsUrl(world, region, { Action: "AssumeRoleWithWebIdentity", RoleArn: role, RoleSessionName: session, WebIdentityToken: token });
  const answer = await call(world, tell, source, url.href);
  return answer && keysFromXml(answer.text);
}

async function fromProfile(world: SignInWorld, region: string, tell: Tell): Promise<AwsKeys | undefined> {
  const profiles = readProfiles(world);
  const name = world.env["AWS_PROFILE"] || world.env["AWS_DEFAULT_PROFILE"] || "default";
  return await profileKeys(world, region, tell, profiles, name, 5);
}

/** Keys that are not in the file: of a sign-in, or of a program. */
async function otherKeys(world: SignInWorld, tell: Tell, name: string, profile: Profile, profiles: ReadonlyMap<string, Profile>): Promise<AwsKeys | undefined> {
  if (hasSso(profile)) return await ssoKeys(world, tell, name, profile, profiles);
  const command = profile.get("credential_process");
  return command ? await processKeys(world, tell, name, command) : tell(`AWS profile ${name}`, "has no keys");
}

async function profileKeys(
  world: SignInWorld,
  region: string,
  tell: Tell,
  profiles: ReadonlyMap<string, Profile>,
  name: string,
  depth: number,
): Promise<AwsKeys | undefined> {
  const source = `AWS profile ${name}`;
  const profile = profiles.get(name);
  if (profile === undefined || depth === 0) return tell(source, depth === 0 ? "profiles lead to each other" : "is in no file");
  const own = keysOf(profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"), profile.get("aws_session_token"));
  const role = profile.get("role_arn");
  if (role === undefined) return own ?? (await otherKeys(world, tell, name, profile, profiles));
  const file = profile.get("web_identity_token_file");
  if (file !== undefined) return await webIdentity(world, region, tell, role, file);
  const from = profile.get("source_profile");
  const keys = from === undefined || from === name ? own : await profileKeys(world, region, tell, profiles, from, depth - 1);
  if (keys === undefined) return tell(source, "there are no keys to take its role with");
  const session = profile.get("role_session_name") ?? "slipway";
  const external = profile.get("external_id");
  const query = { Action: "AssumeRole", RoleArn: role, RoleSessionName: session, ...(external === undefined ? {} : { ExternalId: external }) };
  const url = stsUrl(world, region, query);
  const headers = signRequest({ method: "GET", url, service: "sts", region, headers: {}, body: "" }, keys, world.now());
  const answer = await call(world, tell, source, url.href, { headers: withoutHost(headers) });
  return answer && keysFromXml(answer.text);
}

/** fetch writes Host itself. */
export function withoutHost(signed: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { host: _, ...headers } = signed;
  return headers;
}

async function fromContainer(world: SignInWorld, tell: Tell): Promise<AwsKeys | undefined> {
  const source = "AWS container credentials";
  const { env, files } = world;
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  const url = relative ? `http://169.254.170.2${relative}` : env["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
  if (!url) return tell(source, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and …_FULL_URI are not set");
  const file = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  const token = (file ? files.readText(file)?.trim() : undefined) ?? env["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
  const answer = await call(world, tell, source, url, { metadata: true, ...(token ? { headers: { authorization: token } } : {}) });
  return answer && keysFromJson(answer.text);
}

/** @see EC2 User Guide, "Use the Instance Metadata Service" (version 2) */
async function fromInstance(world: SignInWorld, tell: Tell): Promise<AwsKeys | undefined> {
  const source = "EC2 instance metadata";
  if (world.env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") return tell(source, "AWS_EC2_METADATA_DISABLED is set");
  const base = world.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || "http://169.254.169.254";
  const at = (path: string): string => new URL(`/latest/${path}`, base).href;
  const token = await call(world, tell, source, at("api/token"), { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "300" }, metadata: true });
  if (token === undefined) return undefined;
  const headers = { "x-aws-ec2-metadata-token": token.text.trim() };
  const role = await call(world, tell, source, at("meta-data/iam/security-credentials/"), { headers, metadata: true });
  const name = role?.text.trim().split("\n")[0];
  if (!name) return role === undefined ? undefined : tell(source, "the instance has no role");
  const answer = await call(world, tell, source, at(`meta-data/iam/security-credentials/${encodeURIComponent(name)}`), { headers, metadata: true });
  return answer && keysFromJson(answer.text);
}

/** `tell` hears why each source before the one that answers was not used. */
export async function findAwsKeys(world: SignInWorld, region: string, tell: Tell): Promise<AwsKeys | undefined> {
  const { env } = world;
  const own = keysOf(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]);
  if (own !== undefined) return own;
  tell("environment", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  return (
    (await webIdentity(world, region, tell, env["AWS_ROLE_ARN"], env["AWS_WEB_IDENTITY_TOKEN_FILE"])) ??
    (await fromProfile(world, region, tell)) ??
    (await fromContainer(world, tell)) ??
    (await fromInstance(world, tell))
  );
}
