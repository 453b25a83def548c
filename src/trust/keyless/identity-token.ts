/** OpenID tokens: who somebody says to be, signed by whoever vouches for that. Read here only to fail early; the authority verifies them. */
import { SlipwayError } from "../../base/errors.ts";

export interface IdentityToken {
  /** a secret: no message ever has it */
  readonly text: string;
  readonly issuer: string;
  /** an address or a workflow */
  readonly subject: string;
}

const maxTokenBytes = 64 << 10;

function invalid(why: string, details: Readonly<Record<string, unknown>> = {}): SlipwayError {
  return new SlipwayError("unauthenticated", "IDENTITY_TOKEN_INVALID", `the identity token ${why}`, { ...details, bare: true });
}

/** Fails with IDENTITY_TOKEN_INVALID (unauthenticated): no token, expired, or of another issuer than is asked for. */
export function parseIdentityToken(text: string, now: Date, wantedIssuer?: string): IdentityToken {
  const token = text.trim();
  const claims = claimsOf(token);
  const [issuer, expires] = [claims["iss"], claims["exp"]];
  if (typeof issuer !== "string") throw invalid("does not say who issued it");
  if (typeof expires === "number" && expires * 1000 <= now.getTime()) throw invalid(`expired at ${new Date(expires * 1000).toISOString()}`, { issuer });
  if (wantedIssuer !== undefined && issuer.replace(/\/$/, "") !== wantedIssuer.replace(/\/$/, ""))
    throw invalid(`is ${issuer}'s, not ${wantedIssuer}'s`, { issuer });
  return { text: token, issuer, subject: subjectOf(claims) };
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const parts = token.split(".");
  if (token.length > maxTokenBytes || parts.length !== 3 || !parts.every((part) => /^[\w-]+=*$/.test(part))) throw invalid("is no signed token (JWT)");
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString());
    if (typeof claims === "object" && claims !== null) return claims as Readonly<Record<string, unknown>>;
  } catch {
    // said below
  }
  throw invalid("cannot be read");
}

function subjectOf({ email, email_verified: isVerified, sub }: Readonly<Record<string, unknown>>): string {
  if (typeof email === "string" && email !== "") {
    if (isVerified !== true && isVerified !== "true") throw invalid(`has an address that its issuer did not verify: ${email}`);
    return email;
  }
  if (typeof sub !== "string" || sub === "") throw invalid("does not say whom it is about");
  return sub;
}
