/** Azure's registries: a token of Entra ID is exchanged for one of the registry. @see Azure Container Registry docs, "AAD-OAuth" */
import type { Credential } from "../credentials.ts";
import { githubIdentity } from "./github-identity.ts";
import { call, form, parseObject, stringIn, type SignIn, type SignInWorld, type Tell } from "./ports.ts";

const resource = "https://containerregistry.azure.net";

async function byClient(world: SignInWorld, tell: Tell): Promise<string | undefined> {
  const { env, files } = world;
  const [client, tenant, secret, file] = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"].map(
    (name) => env[name] || undefined,
  );
  const source = secret === undefined ? "Azure workload identity" : "Azure service principal";
  const missing = "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE are not set";
  if (client === undefined || tenant === undefined) return tell("Azure service principal", missing);
  const federated = async (): Promise<string | undefined> =>
    file === undefined ? await githubIdentity(world, tell, "api://AzureADTokenExchange") : files.readText(file)?.trim();
  const assertion = secret === undefined ? await federated() : undefined;
  if (secret === undefined && assertion === undefined)
    return file === undefined ? tell("Azure service principal", missing) : tell(source, `${file} cannot be read`);
  const authority = env["AZURE_AUTHORITY_HOST"] || "https://login.microsoftonline.com";
  const proof: Record<string, string> =
    secret === undefined
      ? { client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", client_assertion: assertion ?? "" }
      : { client_secret: secret };
  const values = { grant_type: "client_credentials", client_id: client, scope: `${resource}/.default`, ...proof };
  const answer = await call(world, tell, source, new URL(`/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority).href, form(values));
  return answer && stringIn(parseObject(answer.text), "access_token");
}

async function byMachine(world: SignInWorld, tell: Tell): Promise<string | undefined> {
  const { env } = world;
  const [endpoint, header] = [env["IDENTITY_ENDPOINT"], env["IDENTITY_HEADER"]];
  const url = new URL(endpoint || "/metadata/identity/oauth2/token", endpoint || env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] || "http://169.254.169.254");
  url.searchParams.set("api-version", endpoint ? "2019-08-01" : "2018-02-01");
  url.searchParams.set("resource", resource);
  const client = env["AZURE_CLIENT_ID"];
  if (client) url.searchParams.set("client_id", client);
  const headers: Record<string, string> = endpoint && header ? { "x-identity-header": header } : { metadata: "true" };
  const answer = await call(world, tell, "Azure managed identity", url.href, { headers, metadata: true });
  return answer && stringIn(parseObject(answer.text), "access_token");
}

async function signInAcr(host: string, world: SignInWorld, tell: Tell): Promise<Credential | undefined> {
  const access = (await byClient(world, tell)) || (await byMachine(world, tell));
  if (!access) return undefined;
  const source = `exchange at ${host}`;

  const answer = await call(world, tell, source, `https://${host}/oauth2/exchange`, form({ grant_type: "access_token", service: host, access_token: access }));
  const refresh = answer && stringIn(parseObject(answer.text), "refresh_token");
  if (!refresh) return answer === undefined ? undefined : tell(source, "its answer holds no token");
  return { kind: "identity", token: refresh };
}

export const acrSignIn: SignIn = { matches: (host) => /\.azurecr\.(?:io|cn|us)$/.test(host), signIn: signInAcr };
