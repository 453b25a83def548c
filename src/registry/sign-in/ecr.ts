/** Amazon's registries, private and public. @see Amazon ECR API Reference, GetAuthorizationToken */
import type { Credential } from "../credentials.ts";
import { findAwsKeys, withoutHost } from "./aws-keys.ts";
import { signRequest } from "./aws-signature.ts";
import { call, parseObject, stringIn, type SignIn, type SignInWorld, type Tell } from "./ports.ts";

interface EcrHost {
  readonly region: string;
  readonly service: "ecr" | "ecr-public";
  readonly endpoint: string;
  readonly target: string;
}

const privateHost = /^\d{12}\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn))$/;

/** undefined for a host that is none of Amazon's. */
export function parseEcrHost(host: string): EcrHost | undefined {
  if (host === "public.ecr.aws") {
    const endpoint = "https://api.ecr-public.us-east-1.amazonaws.com";
    return { region: "us-east-1", service: "ecr-public", endpoint, target: "SpencerFrontendService.GetAuthorizationToken" };
  }
  const match = privateHost.exec(host);
  if (match === null) return undefined;
  const [, fips, region = "", domain = ""] = match;
  const name = fips === undefined ? `api.ecr.${region}` : `ecr-fips.${region}`;
  const suffix = domain.endsWith(".cn") ? "amazonaws.com.cn" : "amazonaws.com";
  const target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
  return { region, service: "ecr", endpoint: `https://${name}.${suffix}`, target };
}

function tokenIn(text: string): string {
  const data = parseObject(text)["authorizationData"];
  const first: unknown = Array.isArray(data) ? data[0] : data;
  return typeof first === "object" && first !== null ? stringIn(first as Record<string, unknown>, "authorizationToken") : "";
}

async function signInEcr(host: string, world: SignInWorld, tell: Tell): Promise<Credential | undefined> {
  const ecr = parseEcrHost(host);
  if (ecr === undefined) return undefined;
  const keys = await findAwsKeys(world, ecr.region, tell);
  if (keys === undefined) return undefined;
  const override = world.env[ecr.service === "ecr" ? "AWS_ENDPOINT_URL_ECR" : "AWS_ENDPOINT_URL_ECR_PUBLIC"] || world.env["AWS_ENDPOINT_URL"];
  const url = new URL("/", override || ecr.endpoint);
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": ecr.target };
  const signed = signRequest({ method: "POST", url, service: ecr.service, region: ecr.region, headers, body: "{}" }, keys, world.now());
  const source = "Amazon ECR GetAuthorizationToken";
  const answer = await call(world, tell, source, url.href, { method: "POST", headers: withoutHost(signed), body: "{}" });
  if (answer === undefined) return undefined;
  const [username = "", ...password] = Buffer.from(tokenIn(answer.text), "base64").toString().split(":");
  if (username === "" || password.length === 0) return tell(source, "its answer holds no token");
  return { kind: "basic", username, password: password.join(":") };
}

export const ecrSignIn: SignIn = { matches: (host) => parseEcrHost(host) !== undefined, signIn: signInEcr };
