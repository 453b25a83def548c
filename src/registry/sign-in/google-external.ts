/**
 * Google access tokens by an identity of elsewhere: a file, an address, or AWS keys prove it, Google's token service exchanges it.
 * @see Google Cloud docs, "Workload Identity Federation"; AIP-4117; RFC 8693
 */
import { findAwsKeys } from "./aws-keys.ts";
import { signRequest } from "./aws-signature.ts";
import { call, form, objectIn, parseObject, stringIn, type SignInWorld, type Tell } from "./ports.ts";

type Json = Readonly<Record<string, unknown>>;

const scope = "https://www.googleapis.com/auth/cloud-platform";
const defaultTokenUrl = "https://sts.googleapis.com/v1/token";
const what = "Google credentials file";

/** The text itself, or a field of it. */
function subjectIn(source: Json, text: string): string {
  const format = objectIn(source, "format");
  return format !== undefined && stringIn(format, "type") === "json" ? stringIn(parseObject(text), stringIn(format, "subject_token_field_name")) : text.trim();
}

async function fromAddress(world: SignInWorld, tell: Tell, source: Json): Promise<string | undefined> {
  const headers = Object.fromEntries(
    Object.entries(objectIn(source, "headers") ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
  const answer = await call(world, tell, what, stringIn(source, "url"), { headers });
  return answer && subjectIn(source, answer.text);
}

/** A request to AWS that says who we are, signed and not sent: Google sends it. */
async function fromAws(world: SignInWorld, tell: Tell, source: Json, audience: string): Promise<string | undefined> {
  let region = world.env["AWS_REGION"] || world.env["AWS_DEFAULT_REGION"];
  if (!region) {
    const zone = await call(world, tell, what, stringIn(source, "region_url"), { metadata: true });
    region = zone?.text.trim().slice(0, -1);
  }
  if (!region) return tell(what, "AWS_REGION is not set");
  const keys = await findAwsKeys(world, region, tell);
  if (keys === undefined) return undefined;
  const url = new URL(stringIn(source, "regional_cred_verification_url").replaceAll("{region}", region));
  const signed = signRequest(
    { method: "POST", url, service: "sts", region, headers: { "x-goog-cloud-target-resource": audience }, body: "" },
    keys,
    world.now(),
  );
  const headers = Object.entries(signed).map(([key, value]) => ({ key, value }));
  return encodeURIComponent(JSON.stringify({ url: url.href, method: "POST", headers }));
}

async function subjectToken(world: SignInWorld, tell: Tell, file: Json): Promise<string | undefined> {
  const source = objectIn(file, "credential_source") ?? {};
  const path = stringIn(source, "file");
  if (path !== "") {
    const text = world.files.readText(path);
    return text === undefined ? tell(what, `${path} cannot be read`) : subjectIn(source, text);
  }
  if (stringIn(source, "environment_id").startsWith("aws")) return await fromAws(world, tell, source, stringIn(file, "audience"));
  if (stringIn(source, "url") !== "") return await fromAddress(world, tell, source);
  return tell(what, "its credential_source is neither a file nor an address nor AWS");
}

/** The token of a service account that the token may act for. */
export async function impersonate(world: SignInWorld, tell: Tell, url: string, token: string): Promise<string | undefined> {
  const body = JSON.stringify({ scope: [scope], lifetime: "3600s" });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await call(world, tell, "Google service account impersonation", url, { method: "POST", headers, body });
  return answer && (stringIn(parseObject(answer.text), "accessToken") || undefined);
}

export async function byExternalAccount(world: SignInWorld, tell: Tell, file: Json): Promise<string | undefined> {
  const subject = await subjectToken(world, tell, file);
  if (!subject) return undefined;
  const values = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: stringIn(file, "audience"),
    scope,
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: subject,
    subject_token_type: stringIn(file, "subject_token_type"),
  };
  const answer = await call(world, tell, "Google token exchange", stringIn(file, "token_url") || defaultTokenUrl, form(values));
  const token = answer && stringIn(parseObject(answer.text), "access_token");
  if (!token) return undefined;
  const url = stringIn(file, "service_account_impersonation_url");
  return url === "" ? token : await impersonate(world, tell, url, token);
}
