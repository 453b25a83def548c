/** Signing in at clouds without another program, where the user's files know nothing of the registry. */
import type { Credential, CredentialSource } from "../credentials.ts";
import { acrSignIn } from "./acr.ts";
import { ecrSignIn } from "./ecr.ts";
import { googleSignIn } from "./google.ts";
import { githubSignIn, gitlabSignIn } from "./pipelines.ts";
import type { SignIn, SignInWorld } from "./ports.ts";

const all: readonly SignIn[] = [ecrSignIn, acrSignIn, googleSignIn, githubSignIn, gitlabSignIn];

/** Tokens of clouds live for an hour or more; a process that lives longer asks again. */
const lifetimeMs = 30 * 60 * 1000;

/** The configured credentials first; a cloud's own sources for its hosts, once for each host. `explain` tells what was tried. */
export function withSignIn(configured: CredentialSource, world: SignInWorld): CredentialSource {
  const known = new Map<string, { readonly credential: Promise<Credential | undefined>; readonly untilMs: number }>();
  const tried = new Map<string, string[]>();

  async function signIn(host: string): Promise<Credential | undefined> {
    const cloud = all.find((each) => each.matches(host, world.env));
    if (cloud === undefined) return undefined;
    const attempts: string[] = [];
    tried.set(host, attempts);
    return await cloud.signIn(host, world, (source, why) => {
      attempts.push(`${source}: ${why}`);
      return undefined;
    });
  }

  return {
    async lookup(host, repository, signal) {
      const own = await configured.lookup(host, repository, signal);
      if (own !== undefined) return own;
      let entry = known.get(host);
      if (entry === undefined || entry.untilMs < world.now()) {
        entry = { credential: signIn(host), untilMs: world.now() + lifetimeMs };
        known.set(host, entry);
      }
      return await entry.credential;
    },
    explain: (host) => [...(configured.explain?.(host) ?? []), ...(tried.get(host) ?? [])],
  };
}
