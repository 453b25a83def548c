/** All policy files of a caller, asked about one image after the other. Reads as its own table of contents. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, platformFrom } from "../../oci/platform.ts";
import { familiarName, formatReference, parseReference, repositoryName, withDefaultTag, withDigest, withTag, type Reference } from "../../oci/reference.ts";
import type { FetchedManifest } from "../../registry/index.ts";
import { variantsOf } from "../images/variants.ts";
import type { PolicyCheck, PolicyOverride, PolicyVerdict } from "../policy-api.ts";
import type { GateSurroundings, PolicyCall, PolicyPlaces, PolicyUse, PushedThing, StoredImage } from "../policy-gate.ts";
import { judge, type JudgeCall, type Judgement, type Subject } from "./judge.ts";
import { isKnownSigned, rememberSigned } from "./known-signed.ts";
import { knownTags, rememberTag } from "./known-tags.ts";
import { loadPolicyFiles, ruleFor, type LoadedPolicy } from "./load-policy.ts";
import { appendLog } from "./policy-log.ts";
import type { Rule } from "./policy-file.ts";

/** "DIGEST=REASON". Fails with USAGE. */
export function parseOverride(text: string): PolicyOverride {
  const [, digest = "", reason = ""] = /^(sha256:[0-9a-f]{64})=(.*\S.*)$/s.exec(text) ?? [];
  if (digest !== "") return { digest, reason: reason.trim() };
  throw new SlipwayError(
    "invalid_argument",
    "USAGE",
    `a policy is overridden for one digest and with a reason, sha256:…=REASON, not ${JSON.stringify(text.slice(0, 200))}`,
  );
}

/** `text`: an override that is still to be read. Fails with POLICY_INVALID, POLICY_NOT_FOUND and USAGE. */
export function loadPolicies(
  surroundings: GateSurroundings,
  places: PolicyPlaces,
  { overrides, text }: { readonly overrides: readonly PolicyOverride[]; readonly text: string },
): Policies {
  return new Policies(surroundings, loadPolicyFiles(places), [...overrides, ...(text === "" ? [] : [parseOverride(text)])]);
}

interface Judged extends Judgement {
  readonly policy: LoadedPolicy;
  readonly rule: Rule;
}

/** What is said to images that are of no repository. */
const unnamed = {
  local: "it was made here, and images of this machine are not to be used",
  loaded: 'it came from no registry that is known: "loaded": "accept" lets in what archives and layouts bring',
} as const;

export class Policies {
  readonly #surroundings: GateSurroundings;
  readonly #policies: readonly LoadedPolicy[];
  readonly #overrides: readonly PolicyOverride[];

  constructor(surroundings: GateSurroundings, policies: readonly LoadedPolicy[], overrides: readonly PolicyOverride[]) {
    this.#surroundings = surroundings;
    this.#policies = policies;
    this.#overrides = overrides;
  }

  async pulled(use: PolicyUse, reference: Reference, { platform, signal }: PolicyCall): Promise<FetchedManifest | undefined> {
    if (this.#policies.length === 0) return undefined;
    const named = withDefaultTag(reference);
    this.#refuseUnasked(named);
    const root = await (await this.#surroundings.client()).resolve(named, { signal });
    await this.#admit(use, { reference: named, digest: root.descriptor.digest, imageId: undefined, platform }, { signal });
    rememberTag(this.#surroundings.store.layout.root, named, root.descriptor.digest);
    return root;
  }

  /** An image that came from a registry is judged by where it came from, whatever it is called here; one that was made here is local. */
  async here(use: PolicyUse, name: string | undefined, image: StoredImage | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (image === undefined) return this.#admitUnnamed("local", use, name ?? "", "");
    const { id, used } = image;
    if (this.#isMadeHere(id)) return this.#admitUnnamed("local", use, name ?? id, id);
    const origins = this.#originsOf(id);
    if (origins.length === 0) return this.#admitUnnamed("loaded", use, name ?? id, id);
    const named = name === undefined ? undefined : repositoryOf(name);
    const platform = formatPlatform(platformFrom(this.#surroundings.store.images.configForList(used)));
    const own = origins.filter(({ repository }) => repository === named);
    const { root } = this.#surroundings.store.layout;
    const subjects = (own.length > 0 ? own : origins).flatMap(({ repository, digest }) => {
      const reference = parseReference(repository);
      const tagged = knownTags(root, repository, digest).map((tag) => withTag(reference, tag));
      return [reference, ...tagged].map((one) => ({ reference: one, digest, imageId: used, platform }));
    });
    const judgements: (readonly [Subject, readonly Judged[]])[] = [];
    // what is accepted by one of its names leaves no note of the others
    for (const subject of subjects) {
      const judged = await this.#judge(subject, { signal });
      if (judged.every(({ refused }) => refused === undefined)) return;
      judgements.push([subject, judged]);
    }
    let failure: unknown;
    for (const [subject, judged] of judgements) {
      try {
        return this.#settleAll(use, subject, judged);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  async pushed(references: readonly Reference[], { id, ...seen }: PushedThing, signal: AbortSignal | undefined): Promise<void> {
    for (const reference of references) {
      const subject: Subject = { reference, digest: id ?? ("" as Digest), imageId: id, platform: undefined, ...seen };
      await this.#admit("push", subject, { signal, isUnsigned: true });
    }
  }

  async check(reference: Reference, signal: AbortSignal | undefined): Promise<PolicyCheck> {
    const named = withDefaultTag(reference);
    const { descriptor } = await (await this.#surroundings.client()).resolve(named, { signal });
    const judged = await this.#judge({ reference: named, digest: descriptor.digest, imageId: undefined, platform: undefined }, { signal });
    return {
      reference: formatReference(withDigest(named, descriptor.digest)),
      digest: descriptor.digest,
      isAccepted: judged.every(({ refused, rule }) => refused === undefined || rule.mode === "audit"),
      verdicts: judged.map(verdictOf),
    };
  }

  /** An index is if all of it is. */
  #isMadeHere(id: Digest): boolean {
    const { store } = this.#surroundings;
    if (store.images.origin(id) !== undefined) return true;
    const variants = store.indexes.get(id) === undefined ? [] : variantsOf(store, id);
    return variants.length > 0 && variants.every(({ image }) => store.images.origin(image) !== undefined);
  }

  #originsOf(id: Digest): readonly { readonly repository: string; readonly digest: Digest }[] {
    const { store } = this.#surroundings;
    const indexes = store.indexes.all().filter((index) => index.id !== id && variantsOf(store, index.id).some(({ image }) => image === id));
    return [id, ...indexes.map((index) => index.id)].flatMap((each) => store.images.repoDigests(each));
  }

  /** What no registry may give is not asked for. */
  #refuseUnasked(reference: Reference): void {
    for (const policy of this.#policies) {
      const rule = ruleFor(policy, reference, reference.digest);
      const isPinned = policy.scopes.some(({ pattern }) => pattern.kind === "exact" && pattern.text.includes("@"));
      if (rule.action !== "reject" || rule.mode === "audit" || this.#overrides.length > 0 || isPinned) continue;
      const reason = rule.reason === "" ? `nothing of ${repositoryName(reference)} is to be used` : rule.reason;
      throw refusedError(familiarName(reference), reference.digest, { policy, rule, held: [], refused: { rule: "reject", reason } });
    }
  }

  /** `id`: "" where there is none to name in an override. */
  #admitUnnamed(kind: keyof typeof unnamed, use: PolicyUse, name: string, id: Digest | ""): void {
    for (const policy of this.#policies) {
      if (policy[kind] === "accept") continue;
      const refused = { rule: kind, reason: unnamed[kind] };
      this.#settle(use, name, id, { policy, rule: { ...policy.fallback, scope: kind }, held: [], refused });
    }
  }

  async #admit(use: PolicyUse, subject: Subject, call: Pick<JudgeCall, "signal" | "isUnsigned">): Promise<void> {
    this.#settleAll(use, subject, await this.#judge(subject, call));
  }

  #settleAll(use: PolicyUse, { reference, digest }: Subject, all: readonly Judged[]): void {
    const shown = digest === "" ? familiarName(reference) : familiarName(withDigest(reference, digest));
    for (const judged of all) if (judged.refused !== undefined) this.#settle(use, shown, digest, judged);
  }

  async #judge(subject: Subject, call: Pick<JudgeCall, "signal" | "isUnsigned">): Promise<readonly Judged[]> {
    const { root } = this.#surroundings.store.layout;
    const now = new Date();
    const judged: Judged[] = [];
    for (const policy of this.#policies) {
      const rule = ruleFor(policy, subject.reference, subject.digest);
      const known = subject.imageId !== undefined && call.isUnsigned !== true && isKnownSigned(root, policy, rule, subject, now);
      const judgement = await judge(policy, rule, subject, { ...call, surroundings: this.#surroundings, now, isKnownSigned: known });
      const isSigned = judgement.refused === undefined || judgement.refused.rule === "vulnerabilities" || judgement.refused.rule === "maxScanAgeDays";
      if (!known && isSigned && call.isUnsigned !== true) rememberSigned(root, policy, rule, subject);
      judged.push({ ...judgement, policy, rule });
    }
    return judged;
  }

  /** Throws, unless it is only noted or was overridden: both leave a line in the log. */
  #settle(use: PolicyUse, shown: string, digest: string, judged: Judged): void {
    const { policy, rule, refused } = judged;
    const override = policy.canOverride ? this.#overrides.find((each) => each.digest === digest) : undefined;
    if (rule.mode === "enforce" && override === undefined) throw refusedError(shown, digest, judged);
    const kind = rule.mode === "audit" ? "audit" : "override";
    appendLog(this.#surroundings.store.layout.root, {
      time: new Date().toISOString(),
      kind,
      use,
      reference: shown,
      digest,
      policy: policy.path,
      scope: rule.scope,
      rule: refused?.rule ?? "",
      reason: refused?.reason ?? "",
      because: kind === "override" ? (override?.reason ?? "") : "",
    });
    const why = kind === "audit" ? "would refuse" : "is overridden for";
    process.emitWarning(`policy ${policy.path} ${why} ${shown}: ${refused?.reason ?? ""} (rule ${refused?.rule ?? ""} of ${rule.scope})`);
  }
}

function repositoryOf(name: string): string | undefined {
  try {
    return repositoryName(parseReference(name));
  } catch {
    return undefined;
  }
}

function verdictOf({ policy, rule, held, refused }: Judged): PolicyVerdict {
  return { policy: policy.path, scope: rule.scope, line: rule.line, mode: rule.mode, refused, held };
}

function refusedError(shown: string, digest: string | undefined, { policy, rule, refused }: Judged): SlipwayError {
  const name = refused?.rule ?? "";
  const where = `rule ${name} of ${["default", "local", "loaded"].includes(rule.scope) ? rule.scope : JSON.stringify(rule.scope)}, ${policy.path}:${rule.line}`;
  const override =
    digest === undefined || digest === ""
      ? "--policy-override DIGEST=REASON takes the image of exactly that digest all the same, and records it"
      : `to use exactly this image all the same, and have that recorded: --policy-override ${digest}=REASON, or SLIPWAY_POLICY_OVERRIDE=${digest}=REASON`;
  return new SlipwayError("denied", "POLICY_REFUSED", `policy refuses ${shown}: ${refused?.reason ?? ""} (${where})`, {
    digest,
    rule: name,
    scope: rule.scope,
    policy: policy.path,
    line: rule.line,
    remedy: policy.canOverride ? override : "this policy is not to be overridden",
  });
}
