/** `verify`: what was accepted, by whom it is and in which format; or each attempt with the reason why it failed. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { AcceptedAttestation, AcceptedSignature, AttestationVerification, VerifiedImage, Verification, VerifyOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { formatJsonLine } from "../json.ts";
import { annotationsFrom } from "./key-value.ts";
import { stepFlagNames } from "../definitions/build.ts";
import { signatureRepository } from "./signature-repository.ts";
import { outputForm } from "./output-form.ts";
import { identityOptions, signerNames } from "./identity-options.ts";
import { keySources } from "./key-sources.ts";

/** cosign's */
const absentExitCode = 11;

const identityFlags = ["identity", "identity-regexp", "certificate-identity", "certificate-identity-regexp"];

function verifyOptions(cli: Cli, flags: ParsedFlags): VerifyOptions {
  const keys = keySources(cli, flags);
  const authorities = keySources(cli, flags, "ca");
  const timestampAuthorities = keySources(cli, flags, "tsa-ca");
  const subjects = flags.list("subject");
  const identity = identityOptions(cli, flags, signerNames);
  const [platform, another] = flags.list("platform");
  if (another !== undefined) throw cliError("--platform wants one platform; --recursive verifies all");
  if (keys.length + authorities.length === 0 && identity === undefined) {
    throw cliError("whose signatures are to be accepted? --key names a public key, --ca an authority's certificate, --identity a signer");
  }
  if (timestampAuthorities.length > 0 && authorities.length === 0) throw cliError("--tsa-ca wants --ca: it is about notation's signers");
  if (subjects.length > 0 && authorities.length === 0) throw cliError("--subject wants --ca: it is about notation's signers");
  return {
    keys,
    authorities,
    ...(timestampAuthorities.length === 0 ? {} : { timestampAuthorities }),
    subjects,
    ...identity,
    annotations: annotationsFrom(flags.list("annotations")),
    repositories: flags.list("repository"),
    ...signatureRepository(cli, flags),
    ...(flags.bool("recursive") ? { recursive: true } : {}),
    ...(platform === undefined ? {} : { platform }),
    signal: cli.signal,
  };
}

/** "release.pub (ECDSA P-256, sha256:…)" */
function signerText({ signer }: Pick<AcceptedSignature, "signer">): string {
  const authority = signer.kind === "certificate" ? `, of ${signer.authority}` : "";
  if (signer.kind === "identity") return `${signer.name}, as ${signer.issuer} says`;
  return `${signer.name} (${signer.description}, ${signer.fingerprint})${authority}`;
}

function signatureText(signature: AcceptedSignature): string {
  const { format, manifest, reference, annotations } = signature;
  const notes = Object.entries(annotations).map(([key, value]) => ` ${key}=${value}`);
  return `  ${format} ${manifest}\n    by ${signerText(signature)}\n    for ${reference ?? "this digest in any repository"}${notes.length === 0 ? "" : `, with${notes.join("")}`}\n`;
}

function attestationText(attestation: AcceptedAttestation): string {
  const { format, manifest, predicateType, reference } = attestation;
  return `  ${predicateType}, ${format} ${manifest}\n    by ${signerText(attestation)}\n    for ${reference ?? "this digest in any repository"}\n`;
}

function imageText({ digest, platform, signatures }: VerifiedImage): string {
  return `${digest}${platform === "" ? "" : ` (${platform})`}: verified\n${signatures.map(signatureText).join("")}`;
}

function textOf({ reference, refused, unread, ...found }: Verification | AttestationVerification): string {
  const accepted = "signatures" in found ? found.signatures.map(signatureText) : found.attestations.map(attestationText);
  // what is of another type was not asked for: nothing is wrong with it
  const others = refused.filter(({ refusal }) => refusal !== "type").map(({ format, manifest, message }) => `  ${format} ${manifest}: ${message}\n`);
  const rest = unread.map((why) => `Not all was looked at: ${why}\n`).join("");
  const images = "images" in found ? (found.images ?? []).map(imageText) : [];
  return `${reference}: verified\n${accepted.join("")}${images.join("")}${others.length === 0 ? "" : `Not accepted:\n${others.join("")}`}${rest}`;
}

/** What a failed verification found, for programs. */
function failureJson(error: SlipwayError): string {
  const { reference, digest, attempts, unread } = error.details;
  return formatJsonLine({ verified: false, reference, digest, code: error.code, signatures: [], refused: attempts, unread });
}

export const runVerify: Handler = async (cli, invocation) => {
  const {
    flags,
    args: [image = ""],
  } = invocation;
  const form = outputForm(flags);
  if (flags.bool("twice")) {
    const { runVerifyTwice } = await import("./verify-twice.ts");
    return await runVerifyTwice(cli, invocation, form);
  }
  const stray = stepFlagNames.find((name) => name !== "platform" && flags.changed(name));
  if (stray !== undefined) throw cliError(`--${stray} wants --twice: it is about a build`);
  if (flags.bool("policy")) {
    const other = ["annotations", "ca", ...identityFlags, "key", "signature-repository", "subject", "tsa-ca", "type"].find((name) => flags.changed(name));
    if (other !== undefined) throw cliError(`--policy and --${other} exclude each other: the policy says whose signatures count`);
    const { checkImages } = await import("./policy.ts");
    return await checkImages(cli, [image], form, { quiet: flags.bool("quiet"), isVerification: true });
  }
  const options = verifyOptions(cli, flags);
  const type = flags.optional("type");
  if (type !== undefined && ["annotations", "ca", "recursive"].some((flag) => flags.changed(flag)))
    throw cliError("--type is about attestations: it goes with --key or --identity, and without --annotations and --recursive");
  const engine = await cli.open();
  try {
    const verification = type === undefined ? await engine.trust.verify(image, options) : await engine.trust.verifyAttestations(image, { ...options, type });
    if (flags.bool("quiet")) cli.stdout.write(`${verification.reference}\n`);
    else if (form === "json") cli.stdout.write(`${formatJsonLine({ verified: true, ...verification })}\n`);
    else cli.stdout.write(printable(textOf(verification)));
    return 0;
  } catch (error) {
    if (form === "json" && isSlipwayError(error) && Array.isArray(error.details["attempts"])) cli.stdout.write(`${failureJson(error)}\n`);
    throw withAbsentCode(error);
  }
};

/** An image that is not there is told from one that is not signed by the exit code. */
export function withAbsentCode(error: unknown): unknown {
  if (!isSlipwayError(error) || error.kind !== "not_found") return error;
  return new SlipwayError(error.kind, "NOTHING_TO_VERIFY", error.message, { ...error.details, exitCode: absentExitCode }, error);
}
